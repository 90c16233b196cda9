#include "session.h"

#include <algorithm>
#include <array>

namespace sluice {

Session::Session(std::shared_ptr<const SessionSpec> spec, ShardContext& shard, Routes& routes, TimeUs nowUs)
    : shard_(shard),
      routes_(routes),
      spec_(std::move(spec)),
      connection_(*spec_, shard.dtls, shard.config.consentTimeoutUs, shard.world.datagrams(), shard.counters, *this),
      nowUs_(nowUs),
      landedAtUs_(nowUs) {
  connection_.apply(*spec_);
}

Session::~Session() {
  leave();
  shard_.deadlines.set(*this, kNever);
}

void Session::leave() {
  if (data_) data_->leave(nowUs_);
  if (media_) media_->leave(nowUs_);
  data_.reset();
  media_.reset();
  connection_.forEachRemote([this](const Address& remote) { routes_.remove(remote, *this); });
}

void Session::apply(std::shared_ptr<const SessionSpec> spec, TimeUs nowUs) {
  nowUs_ = nowUs;
  spec_ = std::move(spec);
  connection_.apply(*spec_);  // may connect here and now: the fingerprint was missing
  if (over_) return;
  if (media_) media_->apply(*spec_, nowUs);
  if (data_ && spec_->data) {
    data_->apply(*spec_, nowUs);
  } else if (data_) {
    data_->leave(nowUs);
    data_.reset();
  } else {
    startData();
  }
  schedule();
}

void Session::drop(TimeUs nowUs) {
  nowUs_ = nowUs;
  if (over_) return;
  connection_.close();
  ended(CloseReason::kDropped);
}

void Session::receiveStun(const wire::StunMessage& message, const Address& from, ShardIndex landedOn, TimeUs nowUs) {
  nowUs_ = nowUs;
  landedOn_ = landedOn;
  connection_.receiveStun(message, from, nowUs);
  if (!over_) schedule();
}

void Session::receiveDtls(Bytes datagram, TimeUs nowUs) {
  nowUs_ = nowUs;
  ++datagramsIn_;
  bytesIn_ += datagram.size();
  shard_.counters.add(Counter::kDtlsIn);
  connection_.receiveDtls(datagram, nowUs);
  if (!over_) schedule();
}

void Session::receiveRtp(Bytes datagram, TimeUs nowUs) {
  nowUs_ = nowUs;
  ++datagramsIn_;
  bytesIn_ += datagram.size();
  PacketRef packet = shard_.pool.take();
  if (!packet) {
    // Histories are a convenience, new packets are not.
    shard_.tracks.dropHistories();
    packet = shard_.pool.take();
  }
  if (!packet) return shard_.counters.drop(DropReason::kPoolEmpty);
  const auto size = connection_.open(Connection::Kind::kRtp, datagram, packet.fill().bytes);
  if (!size || !media_) return;
  packet.fill().size = static_cast<uint16_t>(*size);
  media_->receiveRtp(std::move(packet), nowUs);
}

void Session::receiveRtcp(Bytes datagram, TimeUs nowUs) {
  nowUs_ = nowUs;
  ++datagramsIn_;
  bytesIn_ += datagram.size();
  std::array<uint8_t, Packet::kCapacity> compound;
  const auto size = connection_.open(Connection::Kind::kRtcp, datagram, compound);
  if (size && media_) media_->receiveRtcp(Bytes(compound).first(*size), nowUs);
}

TimeUs Session::nextDeadline() const {
  TimeUs at = connection_.nextDeadline();
  if (!connected_) at = std::min(at, landedAtUs_ + shard_.config.setupTimeoutUs);
  if (media_) at = std::min(at, media_->nextDeadline());
  if (data_) at = std::min(at, data_->nextDeadline());
  return at;
}

void Session::schedule() {
  shard_.deadlines.set(*this, nextDeadline());
}

void Session::onDeadline(TimeUs nowUs) {
  nowUs_ = nowUs;
  connection_.onDeadline(nowUs);
  if (!over_ && !connected_ && nowUs >= landedAtUs_ + shard_.config.setupTimeoutUs) ended(CloseReason::kSetupTimeout);
  if (!over_ && media_ && media_->nextDeadline() <= nowUs) media_->onDeadline(nowUs);
  if (!over_ && data_ && data_->nextDeadline() <= nowUs) data_->onDeadline(nowUs);
  // What is due even now had its turn: it gets another, but others first.
  if (!over_) shard_.deadlines.set(*this, std::max(nextDeadline(), nowUs + 1));
}

void Session::snapshot(SessionSnapshot& out) const {
  out.session = key();
  out.state = over_ ? SessionState::kClosed : connected_ ? SessionState::kConnected : SessionState::kLanded;
  out.remote = connection_.remote();
  out.landedAtUs = landedAtUs_;
  out.connectedAtUs = connectedAtUs_;
  out.datagramsIn = datagramsIn_;
  out.bytesIn = bytesIn_;
  out.datagramsOut = connection_.datagramsOut();
  out.bytesOut = connection_.bytesOut();
  if (media_) media_->snapshot(out);
  if (data_) data_->snapshot(out.data);
}

// ── What the connection says ──

void Session::landed(const Address& remote) {
  shard_.counters.add(Counter::kSessionsLanded);
  shard_.world.event(SessionLanded{key(), remote});
}

void Session::moved(const Address& remote) {
  shard_.world.event(SessionMoved{key(), remote});
}

void Session::addressAdded(const Address& remote) {
  routes_.add(remote, *this, landedOn_);
}

void Session::addressGone(const Address& remote) {
  routes_.remove(remote, *this);
}

void Session::connected() {
  connected_ = true;
  connectedAtUs_ = nowUs_;
  shard_.counters.add(Counter::kSessionsConnected);
  shard_.world.event(SessionConnected{key()});
  if (connection_.transport() != nullptr) media_.emplace(*spec_, shard_, connection_, *this, nowUs_);
  startData();
}

void Session::startData() {
  if (!connected_ || !spec_->data || data_) return;
  ConnectionOwner& owner = *this;
  data_.emplace(*spec_, shard_, connection_, owner, *this, nowUs_);
}

void Session::applicationData(Bytes data) {
  if (data_) {
    data_->receive(data, nowUs_);
  } else {
    shard_.counters.drop(DropReason::kSctpRefused);
  }
}

void Session::ended(CloseReason reason) {
  if (over_) return;
  over_ = true;
  shard_.counters.add(Counter::kSessionsClosed);
  shard_.world.event(SessionClosed{key(), reason});
  // Due at once: its owner finds it over, and destroys it when nothing of it is on the stack any more.
  shard_.deadlines.set(*this, nowUs_);
}

}  // namespace sluice
