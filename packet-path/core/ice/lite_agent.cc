#include "lite_agent.h"

#include <algorithm>

namespace sluice::ice {

namespace {

// A selected address that was not heard for this long is left for another that checks without nominating. Browsers
// check the selected pair every 2.5 s (Chromium) or 4 to 6 s (Firefox, RFC 7675 §5.1).
constexpr TimeUs kSilentUs = 8 * kSecondUs;

// An address that nominated this often while the selected one said nothing has taken over, whatever its priority.
constexpr uint8_t kTakeoverNominations = 2;

}  // namespace

LiteAgent::LiteAgent(LiteAgentConfig config) : config_(config) {}

void LiteAgent::setLocalCredentials(std::span<const IceCredentials> newestFirst) {
  newestFirst = newestFirst.first(std::min(newestFirst.size(), kMaxCredentials));
  std::vector<Credentials> next;
  next.reserve(newestFirst.size());
  // Oldest first, so that what is new here gets a higher generation than all before it.
  for (size_t i = newestFirst.size(); i-- > 0;) {
    const IceCredentials& c = newestFirst[i];
    const Credentials* known = credentialsFor(c.usernameFragment);
    next.push_back(
        {c.usernameFragment, wire::stunKey(c.password), known != nullptr ? known->generation : ++generations_});
  }
  credentials_ = std::move(next);
}

CheckOutcome LiteAgent::handle(const wire::StunMessage& message, const Address& from, TimeUs nowUs,
                               MutableBytes answer) {
  CheckOutcome outcome;
  const auto refuse = [&outcome](CheckVerdict verdict) {
    outcome.verdict = verdict;
    return outcome;
  };
  if (message.kind != wire::StunClass::kRequest || message.method != wire::kStunBinding) {
    return refuse(CheckVerdict::kNotARequest);
  }
  const std::string_view fragment = message.receiverFragment();
  if (fragment.empty() || message.integrityOffset == 0) return refuse(CheckVerdict::kMalformed);
  // The sender's own fragment, behind the colon, is deliberately not compared: the check may be here before signaling
  // told it, and the password already proves that the sender got our description (RFC 8445 §7.3 asks for no more).
  const Credentials* credentials = credentialsFor(fragment);
  if (credentials == nullptr) return refuse(CheckVerdict::kUnknownFragment);
  if (!message.hasIntegrity(credentials->key)) return refuse(CheckVerdict::kBadIntegrity);

  if (message.unknownCount > 0) {
    outcome.answerBytes = wire::writeBindingError(answer, message.transaction, 420, credentials->key,
                                                  std::span(message.unknown).first(message.unknownCount));
    return refuse(CheckVerdict::kUnknownAttributes);
  }
  if (message.iceControlled) {
    outcome.answerBytes = wire::writeBindingError(answer, message.transaction, 487, credentials->key);
    return refuse(CheckVerdict::kRoleConflict);
  }
  outcome.answerBytes = wire::writeBindingSuccess(answer, message.transaction, from, credentials->key);

  outcome.verdict = CheckVerdict::kAccepted;
  outcome.landed = !landed();
  lastCheckUs_ = nowUs;
  Remote& remote = note(from, outcome);
  remote.lastCheckUs = nowUs;
  // A straggler under older credentials keeps consent, but says nothing about what the restarted client wants now.
  if (credentials->generation < remote.generation) return outcome;
  remote.generation = credentials->generation;
  remote.priority = message.priority.value_or(0);
  remote.nominating = message.useCandidate;
  outcome.tupleChanged = choose(remote, outcome.remoteAdded);
  return outcome;
}

const LiteAgent::Credentials* LiteAgent::credentialsFor(std::string_view fragment) const {
  const auto it = std::find_if(credentials_.begin(), credentials_.end(),
                               [fragment](const Credentials& c) { return c.fragment == fragment; });
  return it == credentials_.end() ? nullptr : &*it;
}

LiteAgent::Remote* LiteAgent::find(const Address& address) {
  const auto end = remotes_.begin() + static_cast<std::ptrdiff_t>(remoteCount_);
  const auto it = std::find_if(remotes_.begin(), end, [&](const Remote& r) { return r.address == address; });
  return it == end ? nullptr : &*it;
}

bool LiteAgent::knows(const Address& remote) const {
  return std::any_of(remotes_.begin(), remotes_.begin() + static_cast<std::ptrdiff_t>(remoteCount_),
                     [&](const Remote& r) { return r.address == remote; });
}

LiteAgent::Remote& LiteAgent::note(const Address& from, CheckOutcome& outcome) {
  if (Remote* known = find(from); known != nullptr) return *known;
  outcome.remoteAdded = true;
  Remote* slot = nullptr;
  if (remoteCount_ < kMaxRemotes) {
    slot = &remotes_[remoteCount_++];
  } else {
    // The one that was silent longest, but never the selected one.
    for (Remote& r : remotes_) {
      if (r.address == selected_) continue;
      if (slot == nullptr || r.lastCheckUs < slot->lastCheckUs) slot = &r;
    }
    outcome.evicted = slot->address;
  }
  *slot = Remote{};
  slot->address = from;
  return *slot;
}

bool LiteAgent::choose(Remote& heard, bool isNew) {
  const Remote* selected = find(selected_);
  if (selected != nullptr && selected != &heard) {
    if (heard.nominating && heard.nominations < kTakeoverNominations) ++heard.nominations;
    if (!beatsSelected(heard, *selected, isNew)) return false;
  }
  for (size_t i = 0; i < remoteCount_; ++i) remotes_[i].nominations = 0;
  if (selected == &heard) return false;
  selected_ = heard.address;  // before any nomination the first valid pair serves (RFC 8445 §12.1.1)
  return true;
}

// A controlling agent nominates one pair (RFC 8445 §8.1.1) – but Firefox and older clients put USE-CANDIDATE into every
// check (aggressive nomination, RFC 5245 §8.1.1.2), where the pair of highest priority counts. PRIORITY names the
// client's local candidate, so an equal one from elsewhere is the same candidate behind a NAT that bound it anew.
bool LiteAgent::beatsSelected(const Remote& heard, const Remote& selected, bool isNew) {
  if (heard.generation != selected.generation) return heard.generation > selected.generation;
  if (heard.nominating) {
    return !selected.nominating || heard.priority >= selected.priority || heard.nominations >= kTakeoverNominations;
  }
  // Firefox's consent checks do not nominate.
  return (isNew && heard.priority == selected.priority) || heard.lastCheckUs - selected.lastCheckUs >= kSilentUs;
}

TimeUs LiteAgent::nextDeadline() const {
  return landed() ? lastCheckUs_ + config_.consentTimeoutUs : kNever;
}

}  // namespace sluice::ice
