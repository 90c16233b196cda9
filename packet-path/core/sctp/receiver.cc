#include "receiver.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

/// RFC 9260 §6.2 asks for at most 200 ms, and the peer's smallest T3-rtx is 400 ms (dcSCTP) or above.
constexpr TimeUs kSackDelayUs = 100 * kMillisecondUs;
/// RFC 9260 §6.2: at least every second packet.
constexpr uint32_t kPacketsPerSack = 2;
constexpr size_t kSackValueBytes = 12;

}  // namespace

Receiver::Receiver(const AssociationConfig& config, Counters& counters)
    : config_(config), counters_(counters), reassembly_(config.maxReceivedMessageBytes, config.maxChannels) {}

void Receiver::begin(uint32_t initialTsn) {
  tsns_ = ReceivedTsns(Tsn{initialTsn} - 1);
  reassembly_ = Reassembly(config_.maxReceivedMessageBytes, config_.maxChannels);
  dataInPacket_ = sackDue_ = false;
  packetsSinceSack_ = 0;
  deadlineUs_ = kNever;
  advertisedWindow_ = window();
  duplicateCount_ = 0;
}

Receiver::Verdict Receiver::onData(const DataChunk& chunk) {
  dataInPacket_ = true;
  sackDue_ |= chunk.immediate;
  const Tsn tsn = extendTsn(chunk.tsn, tsns_.cumulative());
  const ReceivedTsns::Arrival arrival = tsns_.classify(tsn);
  if (arrival == ReceivedTsns::Arrival::kDuplicate) {
    ++counters_.droppedDuplicate;
    sackDue_ = true;
    if (duplicateCount_ < kMaxDuplicates) duplicates_[duplicateCount_++] = chunk.tsn;
    return Verdict::kTaken;
  }
  if (arrival == ReceivedTsns::Arrival::kTooFar || !fits(chunk, arrival)) {
    ++counters_.droppedWindow;
    sackDue_ = true;
    return Verdict::kTaken;
  }
  const Tsn cumulative = tsns_.cumulative();
  // A gap that opens, and one that closes, is told at once (§6.7).
  if (arrival == ReceivedTsns::Arrival::kBeyond || !tsns_.beyond().empty()) sackDue_ = true;
  tsns_.add(tsn);
  return judge(reassembly_.add(chunk, tsn, cumulative, paused_ || reassembly_.hasReady()));
}

/// The next missing chunk is always taken, since only it can set free what waits; unless we are paused, and then it
/// will come again.
bool Receiver::fits(const DataChunk& chunk, ReceivedTsns::Arrival arrival) const {
  if (arrival == ReceivedTsns::Arrival::kNext && !paused_ && !reassembly_.hasReady()) return true;
  return reassembly_.heldBytes() + Reassembly::cost(chunk) <= config_.receiveWindowBytes;
}

Receiver::Verdict Receiver::judge(Reassembly::Added added) {
  switch (added) {
    case Reassembly::Added::kDeliverNow:
      return Verdict::kDeliverNow;
    case Reassembly::Added::kStored:
      break;
    case Reassembly::Added::kOrphan:
      ++counters_.droppedOrphan;
      break;
    case Reassembly::Added::kOutOfTurn:
      ++counters_.droppedDuplicate;
      break;
    case Reassembly::Added::kNoState:
      ++counters_.droppedStreamState;
      break;
    case Reassembly::Added::kTooLong:
      return Verdict::kViolation;
  }
  // A correct sender that leaves no TSN out completes and orders its messages: beyond the window, a message in the
  // making is the most it makes us hold. Doubled, because a message in small fragments costs more than its bytes.
  const size_t most = 2 * (size_t{config_.receiveWindowBytes} + config_.maxReceivedMessageBytes);
  return reassembly_.heldBytes() > most ? Verdict::kViolation : Verdict::kTaken;
}

void Receiver::onForwardTsn(const ForwardTsnChunk& chunk) {
  const Tsn cumulative = extendTsn(chunk.cumulativeTsn, tsns_.cumulative());
  sackDue_ = true;  // an old one means that our SACK was lost (RFC 3758 §3.6)
  if (cumulative <= tsns_.cumulative()) return;
  tsns_.forwardTo(cumulative);
  reassembly_.forwardTo(cumulative, chunk);
}

void Receiver::onPacketEnd(TimeUs nowUs) {
  if (!dataInPacket_) return;
  dataInPacket_ = false;
  if (++packetsSinceSack_ >= kPacketsPerSack) sackDue_ = true;
  if (deadlineUs_ == kNever) deadlineUs_ = nowUs + kSackDelayUs;
}

void Receiver::pause(bool paused) {
  paused_ = paused;
}

std::optional<ReadyMessage> Receiver::next() {
  if (paused_ || !reassembly_.hasReady()) return std::nullopt;
  ReadyMessage message = reassembly_.takeReady();
  // Tell a peer that stopped for lack of window that there is window again, once it is worth its while.
  if (advertisedWindow_ < config_.receiveWindowBytes / 4 && window() >= config_.receiveWindowBytes / 2) sackDue_ = true;
  return message;
}

size_t Receiver::window() const {
  const size_t held = reassembly_.heldBytes();
  return held >= config_.receiveWindowBytes ? 0 : config_.receiveWindowBytes - held;
}

void Receiver::writeSack(Outbox& out) {
  const auto& beyond = tsns_.beyond();
  const size_t room = out.fullRoom() - kSackValueBytes;
  const size_t duplicates = std::min(duplicateCount_, room / 4);
  const size_t gaps = std::min(beyond.size(), room / 4 - duplicates);
  const Tsn cumulative = tsns_.cumulative();
  advertisedWindow_ = window();

  uint8_t* at = out.chunk(ChunkType::kSack, 0, kSackValueBytes + 4 * (gaps + duplicates));
  writeU32(at, static_cast<uint32_t>(cumulative));
  writeU32(at + 4, static_cast<uint32_t>(advertisedWindow_));
  writeU16(at + 8, static_cast<uint16_t>(gaps));
  writeU16(at + 10, static_cast<uint16_t>(duplicates));
  at += kSackValueBytes;
  for (size_t i = 0; i < gaps; ++i, at += 4) {
    writeU16(at, static_cast<uint16_t>(beyond[i].first - cumulative));
    writeU16(at + 2, static_cast<uint16_t>(beyond[i].last - cumulative));
  }
  for (size_t i = 0; i < duplicates; ++i, at += 4) writeU32(at, duplicates_[i]);

  duplicateCount_ = 0;
  packetsSinceSack_ = 0;
  sackDue_ = false;
  deadlineUs_ = kNever;
}

void Receiver::onDeadline(TimeUs nowUs) {
  if (nowUs >= deadlineUs_) sackDue_ = true;
}

}  // namespace sluice::sctp
