#include "sender.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

/// RFC 9260 §6.1 D, §16 Max.Burst: packets that one event may cause.
constexpr size_t kMaxBurstPackets = 4;
constexpr size_t kDataFixedBytes = kDataHeaderBytes - kChunkHeaderBytes;
constexpr size_t kForwardTsnFixedBytes = 4;
/// For some hundred DCEP messages while the buffer is full of data.
constexpr size_t kControlReserveBytes = 65'536;

}  // namespace

Sender::Sender(const AssociationConfig& config, Counters& counters)
    : config_(config),
      counters_(counters),
      queue_(config.sendBufferBytes),
      outstanding_(queue_),
      congestion_(config.maxPacketBytes - kCommonHeaderBytes) {}

void Sender::begin(const EndParameters& local, const EndParameters& peer) {
  queue_.restart();
  outstanding_.begin(local.initialTsn);
  congestion_.begin(peer.window);
  timer_ = RetransmissionTimer();
  peerWindow_ = peer.window;
  partialReliability_ = peer.forwardTsn;
  fastRetransmit_ = forwardDue_ = false;
  forwardedTo_ = outstanding_.cumulative();
}

bool Sender::push(const Delivery& delivery, Bytes bytes) {
  const bool taken = queue_.push(delivery, bytes);
  refused_ |= !taken;
  return taken;
}

bool Sender::pushControl(const Delivery& delivery, Bytes bytes) {
  return queue_.push(delivery, bytes, kControlReserveBytes);
}

bool Sender::takeWritable() {
  if (!refused_ || queue_.heldBytes() > config_.sendBufferBytes / 2) return false;
  refused_ = false;
  return true;
}

bool Sender::onSack(const SackChunk& sack, TimeUs nowUs) {
  const Tsn cumulative = extendTsn(sack.cumulativeTsn, outstanding_.cumulative());
  if (cumulative >= outstanding_.nextTsn()) return false;
  timer_.onAlive();
  if (cumulative < outstanding_.cumulative()) return true;  // overtaken by a later one (§6.2.1 D i)
  acknowledge(cumulative, sack, nowUs);
  const size_t flight = outstanding_.flightBytes();
  peerWindow_ = sack.window > flight ? sack.window - flight : 0;
  // RFC 3758 §3.5 C3: the peer did not hear where to go on; it is told again, once a round trip.
  if (outstanding_.hasForward() && nowUs - forwardedAtUs_ >= timer_.roundTripUs()) forwardDue_ = true;
  return true;
}

bool Sender::onCumulative(uint32_t cumulativeTsn, TimeUs nowUs) {
  const Tsn cumulative = extendTsn(cumulativeTsn, outstanding_.cumulative());
  if (cumulative >= outstanding_.nextTsn()) return false;
  if (cumulative > outstanding_.cumulative()) acknowledge(cumulative, SackChunk{}, nowUs);
  return true;
}

void Sender::acknowledge(Tsn cumulative, const SackChunk& sack, TimeUs nowUs) {
  const size_t flightBefore = outstanding_.flightBytes();
  const auto result = outstanding_.acknowledge(cumulative, sack, congestion_.inFastRecovery());
  if (result.sentAtUs) timer_.measure(*result.sentAtUs, nowUs);
  if (result.advanced) congestion_.onAdvanced(cumulative, result.bytes, flightBefore);

  bool restartTimer = result.advanced;
  if (result.lost) {
    ++counters_.fastRetransmits;
    if (congestion_.onLoss(outstanding_.nextTsn() - 1)) fastRetransmit_ = restartTimer = true;
  }
  if (outstanding_.empty()) {
    timer_.stop();
  } else if (restartTimer) {
    timer_.start(nowUs);  // §6.3.2 R3
  }
}

bool Sender::onDeadline(TimeUs nowUs) {
  if (nowUs < timer_.deadlineUs()) return true;
  timer_.stop();
  if (outstanding_.empty()) return true;
  ++counters_.timeouts;
  if (!timer_.backOff()) return false;
  if (outstanding_.flightBytes() > 0) congestion_.onTimeout();
  outstanding_.loseAll();
  forwardDue_ = true;
  timer_.start(nowUs);
  return true;
}

bool Sender::wantsToTransmit() const {
  if (fastRetransmit_ || forwardDue_) return true;
  const size_t flight = outstanding_.flightBytes();
  if (flight >= congestion_.windowBytes()) return false;
  return outstanding_.hasLost() || (queue_.hasUnsent() && (peerWindow_ > 0 || flight == 0));
}

void Sender::transmit(TimeUs nowUs, Outbox& out) {
  giveUp(nowUs);
  writeForward(nowUs, out);
  for (size_t packet = 0; packet < kMaxBurstPackets; ++packet) {
    const bool resent = resendLost(nowUs, out);
    fastRetransmit_ = false;
    const bool sent = sendNew(nowUs, out);
    if (!resent && !sent) return;
    out.flush();
  }
}

/// Lost chunks that may not be sent again (RFC 3758 §3.5 A3), if the peer can be told.
void Sender::giveUp(TimeUs nowUs) {
  if (partialReliability_) counters_.messagesAbandoned += outstanding_.abandonHopeless(nowUs);
}

void Sender::writeForward(TimeUs nowUs, Outbox& out) {
  const bool again = forwardDue_;
  forwardDue_ = false;
  if (!outstanding_.hasForward()) return;
  const Outstanding::Forward forward = outstanding_.forward();
  if (!again && forward.cumulative <= forwardedTo_) return;
  forwardedTo_ = forward.cumulative;
  forwardedAtUs_ = nowUs;
  uint8_t* at = out.chunk(ChunkType::kForwardTsn, 0, kForwardTsnFixedBytes + 4 * forward.streams);
  writeU32(at, static_cast<uint32_t>(forward.cumulative));
  at += kForwardTsnFixedBytes;
  for (size_t i = 0; i < forward.streams; ++i, at += 4) {
    writeU16(at, forward.skipped[i].stream);
    writeU16(at + 2, forward.skipped[i].ssn);
  }
  if (!timer_.running()) timer_.start(nowUs);
}

/// One packet's worth of lost chunks, oldest first. True when at least one was written.
bool Sender::resendLost(TimeUs nowUs, Outbox& out) {
  bool any = false;
  while (const OutstandingChunk* lost = outstanding_.firstLost()) {
    if (!fastRetransmit_ && outstanding_.flightBytes() >= congestion_.windowBytes()) return any;
    if (kDataFixedBytes + lost->fragment.length > out.room()) {
      if (any) return true;
      out.flush();
    }
    const size_t bytes = lost->bytes();
    const Fragment fragment = lost->fragment;
    write(fragment, outstanding_.resendFirstLost(nowUs), out);
    noteSent(bytes, nowUs);
    ++counters_.chunksRetransmitted;
    any = true;
  }
  return any;
}

/// Fills one packet with chunks that were never sent. What is lost goes first (RFC 9260 §6.1 C).
bool Sender::sendNew(TimeUs nowUs, Outbox& out) {
  bool any = false;
  const size_t fullRoom = out.fullRoom() - kDataFixedBytes;
  while (queue_.hasUnsent() && !outstanding_.hasLost()) {
    if (outstanding_.empty() && lastSentAtUs_ > 0) {
      congestion_.onIdle(static_cast<size_t>((nowUs - lastSentAtUs_) / timer_.timeoutUs()));
      lastSentAtUs_ = nowUs;
    }
    const size_t flight = outstanding_.flightBytes();
    if (flight >= congestion_.windowBytes()) return any;
    const size_t room = out.room() > kDataFixedBytes ? out.room() - kDataFixedBytes : 0;
    const auto fragment = queue_.next(room, fullRoom, nowUs, counters_.messagesAbandoned);
    if (!fragment) {
      if (any || out.empty()) return any;
      out.flush();
      continue;
    }
    const size_t bytes = padded(kDataHeaderBytes + fragment->length);
    if (bytes > peerWindow_ && flight > 0) return any;  // with nothing in flight it probes the window (§6.1 A)
    write(*fragment, outstanding_.send(*fragment, nowUs), out);
    noteSent(bytes, nowUs);
    any = true;
  }
  return any;
}

void Sender::write(const Fragment& fragment, Tsn tsn, Outbox& out) {
  const OutgoingMessage& message = queue_.message(fragment.message);
  const DataChunk data{.tsn = static_cast<uint32_t>(tsn),
                       .stream = message.delivery.stream,
                       .ssn = message.ssn,
                       .payloadProtocol = message.delivery.payloadProtocol,
                       .begin = fragment.begin,
                       .end = fragment.end,
                       .unordered = message.delivery.unordered,
                       .payload = {message.bytes.get() + fragment.offset, fragment.length}};
  writeDataValue(out.chunk(ChunkType::kData, dataFlags(data), kDataFixedBytes + fragment.length), data);
}

void Sender::noteSent(size_t bytes, TimeUs nowUs) {
  peerWindow_ -= std::min(bytes, peerWindow_);
  lastSentAtUs_ = nowUs;
  if (!timer_.running()) timer_.start(nowUs);  // §6.3.2 R1
}

}  // namespace sluice::sctp
