#include "checker.h"

#include <algorithm>

namespace sluice::peer {

namespace {

// Type preference of a peer-reflexive candidate, highest local preference, component 1 (RFC 8445 §5.1.2.1, §7.1.1).
constexpr uint32_t kPriority = (110U << 24) | (65'535U << 8) | 255U;

}  // namespace

Checker::Checker(CheckerConfig config, uint64_t tieBreaker) : config_(std::move(config)), tieBreaker_(tieBreaker) {
  setCredentials(config_.local, config_.remote);
}

void Checker::setCredentials(const IceCredentials& local, const IceCredentials& remote) {
  config_.local = local;
  config_.remote = remote;
  username_ = remote.usernameFragment + ":" + local.usernameFragment;
  localKey_ = wire::stunKey(local.password);
  remoteKey_ = wire::stunKey(remote.password);
}

void Checker::start(TimeUs nowUs) {
  askUs_ = nowUs;
  expiresUs_ = nowUs + config_.timeoutUs;
}

void Checker::restart(const IceCredentials& local, const IceCredentials& remote, TimeUs nowUs) {
  setCredentials(local, remote);
  asked_ = 0;
  open_ = {};
  settled_ = false;
  paceUs_ = kFirstPaceUs;
  askUs_ = nowUs;
}

Checker::Heard Checker::receive(const wire::StunMessage& message, const Address& from, TimeUs nowUs,
                                MutableBytes answer) {
  if (message.method != wire::kStunBinding) return {};
  if (message.kind == wire::StunClass::kSuccess || message.kind == wire::StunClass::kError) {
    return answered(message, nowUs);
  }
  // A full agent at the other end checks us as well (RFC 8445 §7.3).
  if (message.kind != wire::StunClass::kRequest || message.receiverFragment() != config_.local.usernameFragment ||
      !message.hasIntegrity(localKey_)) {
    return {};
  }
  return {true, false, wire::writeBindingSuccess(answer, message.transaction, from, localKey_)};
}

Checker::Heard Checker::answered(const wire::StunMessage& message, TimeUs nowUs) {
  const size_t known = static_cast<size_t>(std::min<uint64_t>(asked_, kOpenQuestions));
  const auto end = open_.begin() + static_cast<std::ptrdiff_t>(known);
  if (std::find(open_.begin(), end, message.transaction) == end || !message.hasIntegrity(remoteKey_)) return {};
  if (message.kind == wire::StunClass::kError) {
    if (message.errorCode == 487) controlling_ = !controlling_;  // RFC 8445 §7.2.5.1
    return {true, false, 0};
  }
  const bool first = !connected_;
  connected_ = true;
  if (!settled_) {
    settled_ = true;
    askUs_ = nowUs + config_.consentIntervalUs;
  }
  expiresUs_ = nowUs + config_.timeoutUs;
  if (message.mappedAddress) mapped_ = *message.mappedAddress;
  return {true, first, 0};
}

size_t Checker::ask(TimeUs nowUs, const std::array<uint8_t, 16>& random, MutableBytes out) {
  if (nowUs < askUs_) return 0;
  wire::BindingRequest request;
  std::copy_n(random.begin(), request.transaction.size(), request.transaction.begin());
  request.username = username_;
  request.priority = kPriority;
  request.tieBreaker = tieBreaker_;
  request.controlling = controlling_;
  request.useCandidate = controlling_;  // there is one pair, and it is the one
  open_[asked_++ % kOpenQuestions] = request.transaction;
  if (settled_) {
    // RFC 7675 §5.1: varied by a fifth, so that thousands do not fall into step.
    const TimeUs fifth = config_.consentIntervalUs / 5;
    askUs_ = nowUs + config_.consentIntervalUs - fifth + readU32(random.data() + 12) % (2 * fifth + 1);
  } else {
    askUs_ = nowUs + paceUs_;
    paceUs_ = std::min(paceUs_ * 2, kSlowestPaceUs);
  }
  return wire::writeBindingRequest(out, request, remoteKey_);
}

TimeUs Checker::nextDeadline() const {
  return std::min(askUs_, expiresUs_);
}

}  // namespace sluice::peer
