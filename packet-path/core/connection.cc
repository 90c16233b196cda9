#include "connection.h"

#include <algorithm>
#include <array>

namespace sluice {

namespace {

CloseReason closeReason(dtls::EndReason reason) {
  switch (reason) {
    case dtls::EndReason::kClosedHere:
      return CloseReason::kDropped;
    case dtls::EndReason::kClosedByPeer:
      return CloseReason::kDtlsClosed;
    case dtls::EndReason::kHandshakeFailed:
    case dtls::EndReason::kHandshakeTimeout:
    case dtls::EndReason::kFingerprintMismatch:
      break;
  }
  return CloseReason::kDtlsFailed;
}

DropReason dropReason(srtp::OpenVerdict verdict) {
  switch (verdict) {
    case srtp::OpenVerdict::kReplayed:
      return DropReason::kSrtpReplayed;
    case srtp::OpenVerdict::kUnauthentic:
      return DropReason::kSrtpUnauthenticated;
    case srtp::OpenVerdict::kTooManySsrcs:
      return DropReason::kRtpUnknownSource;
    case srtp::OpenVerdict::kOpened:
    case srtp::OpenVerdict::kMalformed:
    case srtp::OpenVerdict::kCount:
      break;
  }
  return DropReason::kSrtpMalformed;
}

}  // namespace

Connection::Connection(const SessionSpec& spec, const dtls::Context* context, TimeUs consentTimeoutUs,
                       DatagramSink& datagrams, ShardCounters& counters, ConnectionOwner& owner)
    : datagrams_(datagrams), counters_(counters), owner_(owner), agent_({.consentTimeoutUs = consentTimeoutUs}) {
  if (context != nullptr) {
    endpoint_.emplace(*context, spec.dtlsServer ? dtls::Role::kServer : dtls::Role::kClient);
  }
}

void Connection::apply(const SessionSpec& spec) {
  agent_.setLocalCredentials(spec.localCredentials);
  extensions_ = spec.extensions;
  if (transport_) transport_->extensions = spec.extensions;
  if (endpoint_) endpoint_->setRemoteFingerprints(spec.remoteFingerprints, *this);
}

void Connection::receiveStun(const wire::StunMessage& message, const Address& from, TimeUs nowUs) {
  std::array<uint8_t, wire::kMaxStunBytes> answer;
  const ice::CheckOutcome outcome = agent_.handle(message, from, nowUs, answer);
  if (outcome.answerBytes > 0) send(from, Bytes(answer).first(outcome.answerBytes));
  switch (outcome.verdict) {
    case ice::CheckVerdict::kAccepted:
      break;
    case ice::CheckVerdict::kBadIntegrity:
    case ice::CheckVerdict::kUnknownFragment:
      counters_.drop(DropReason::kStunUnauthenticated);
      return;
    case ice::CheckVerdict::kRoleConflict:
    case ice::CheckVerdict::kUnknownAttributes:
    case ice::CheckVerdict::kNotARequest:
    case ice::CheckVerdict::kMalformed:
    case ice::CheckVerdict::kCount:
      counters_.drop(DropReason::kStunMalformed);
      return;
  }
  if (outcome.evicted) owner_.addressGone(*outcome.evicted);
  if (outcome.remoteAdded) owner_.addressAdded(from);
  if (transport_ && outcome.tupleChanged) transport_->to = agent_.selected();
  if (outcome.landed) {
    owner_.landed(from);
    if (!endpoint_) return end(CloseReason::kDtlsFailed);
    endpoint_->start(nowUs, *this);
  } else if (outcome.tupleChanged) {
    owner_.moved(agent_.selected());
  }
}

void Connection::receiveDtls(Bytes datagram, TimeUs nowUs) {
  if (!endpoint_) return;
  endpoint_->receive(datagram, nowUs, *this);
  countDtlsDrops();
}

std::optional<size_t> Connection::open(Kind kind, Bytes sealed, MutableBytes out) {
  if (!open_) {
    counters_.drop(DropReason::kNotConnected);
    return {};
  }
  const srtp::Opened opened = kind == Kind::kRtp ? open_->openRtp(sealed, out) : open_->openRtcp(sealed, out);
  if (opened.verdict != srtp::OpenVerdict::kOpened) {
    counters_.drop(dropReason(opened.verdict));
    return {};
  }
  return opened.size;
}

void Connection::sendRtcp(Bytes compound) {
  if (!transport_ || compound.empty()) return;
  MutableBytes out = datagrams_.reserve(compound.size() + srtp::kMaxOverheadBytes);
  const size_t sealed = transport_->seal.sealRtcp(compound, out);
  if (sealed == 0) {
    counters_.drop(DropReason::kSealFailed);
    return;
  }
  commit(transport_->to, sealed);
  counters_.add(Counter::kRtcpOut);
}

void Connection::sendData(Bytes data) {
  if (!endpoint_) return;
  MutableBytes out = datagrams_.reserve(data.size() + dtls::Endpoint::kOverheadBytes);
  const size_t sealed = endpoint_->seal(data, out);
  if (sealed == 0) {
    counters_.drop(DropReason::kSealFailed);
    return;
  }
  commit(agent_.selected(), sealed);
}

void Connection::close() {
  ended_ = true;  // whoever closes it knows
  if (endpoint_) endpoint_->close(*this);
}

TimeUs Connection::nextDeadline() const {
  return std::min(agent_.nextDeadline(), endpoint_ ? endpoint_->nextDeadline() : kNever);
}

void Connection::onDeadline(TimeUs nowUs) {
  if (agent_.consentExpired(nowUs)) return end(CloseReason::kConsentExpired);
  if (endpoint_ && endpoint_->nextDeadline() <= nowUs) endpoint_->onDeadline(nowUs, *this);
}

void Connection::dtlsDatagram(Bytes datagram) {
  send(agent_.selected(), datagram);
}

void Connection::dtlsConnected(const std::optional<wire::SrtpKeyPair>& keys) {
  if (keys) {
    auto seal = srtp::SealContext::create(keys->local);
    open_ = srtp::OpenContext::create(keys->remote);
    if (!seal || !open_) return end(CloseReason::kDtlsFailed);
    transport_.emplace(send::Transport{std::move(*seal), agent_.selected(), extensions_, 0});
  }
  owner_.connected();
}

void Connection::dtlsData(Bytes message) {
  owner_.applicationData(message);
}

void Connection::dtlsClosed(dtls::EndReason reason) {
  end(closeReason(reason));
}

void Connection::send(const Address& to, Bytes datagram) {
  if (!to.isSet()) return;
  MutableBytes out = datagrams_.reserve(datagram.size());
  if (out.size() < datagram.size()) {
    counters_.drop(DropReason::kBurstRefused);
    return;
  }
  std::copy(datagram.begin(), datagram.end(), out.begin());
  commit(to, datagram.size());
}

void Connection::commit(const Address& to, size_t bytes) {
  datagrams_.commit(to, bytes, bytes);
  ++datagramsOut_;
  bytesOut_ += bytes;
  counters_.add(Counter::kDatagramsOut);
  counters_.add(Counter::kBytesOut, bytes);
}

void Connection::end(CloseReason reason) {
  if (ended_) return;
  ended_ = true;
  owner_.ended(reason);
}

void Connection::countDtlsDrops() {
  uint64_t drops = 0;
  for (size_t i = 0; i < static_cast<size_t>(dtls::RecordDrop::kCount); ++i) {
    drops += endpoint_->dropped(static_cast<dtls::RecordDrop>(i));
  }
  counters_.drop(DropReason::kDtlsRefused, drops - dtlsDrops_);
  dtlsDrops_ = drops;
}

}  // namespace sluice
