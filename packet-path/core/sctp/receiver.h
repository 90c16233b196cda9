// The receiving half of an association: what arrived, what is still missing, how much may yet come, and when to say so
// (RFC 9260 §6.2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "outbox.h"
#include "reassembly.h"
#include "received_tsns.h"
#include "types.h"

namespace sluice::sctp {

class Receiver {
 public:
  enum class Verdict : uint8_t {
    kTaken,
    kDeliverNow,  ///< the chunk's payload is a whole message and its turn
    kViolation,   ///< the peer sends what no correct sender does, and without bound
  };

  Receiver(const AssociationConfig& config, Counters& counters);

  /// The association stands, or stands anew: the peer's first TSN is this one.
  void begin(uint32_t initialTsn);

  Verdict onData(const DataChunk& chunk);
  void onForwardTsn(const ForwardTsnChunk& chunk);
  void resetStream(StreamId stream) { reassembly_.resetStream(stream); }
  void resetAllStreams() { reassembly_.resetAllStreams(); }
  /// The chunks of one packet are through.
  void onPacketEnd(TimeUs nowUs);

  void pause(bool paused);
  /// The next message that had to be kept and whose turn it is now; none while paused.
  std::optional<ReadyMessage> next();

  /// No whole message whose turn it is waits inside.
  [[nodiscard]] bool allDelivered() const { return !reassembly_.hasReady(); }

  [[nodiscard]] Tsn cumulative() const { return tsns_.cumulative(); }
  [[nodiscard]] bool sackDue() const { return sackDue_; }
  /// Something is unacknowledged: a packet that goes anyway should take the SACK along.
  [[nodiscard]] bool sackPending() const { return sackDue_ || deadlineUs_ != kNever; }
  void askForSack() { sackDue_ = true; }
  void writeSack(Outbox& out);

  /// The delayed SACK.
  [[nodiscard]] TimeUs nextDeadline() const { return deadlineUs_; }
  void onDeadline(TimeUs nowUs);

 private:
  /// Duplicates that one SACK tells of; they only help the peer's statistics.
  static constexpr size_t kMaxDuplicates = 16;

  [[nodiscard]] size_t window() const;
  [[nodiscard]] bool fits(const DataChunk& chunk, ReceivedTsns::Arrival arrival) const;
  Verdict judge(Reassembly::Added added);

  const AssociationConfig& config_;
  Counters& counters_;
  ReceivedTsns tsns_{0};
  Reassembly reassembly_;
  bool paused_ = false;

  bool dataInPacket_ = false;
  bool sackDue_ = false;
  uint32_t packetsSinceSack_ = 0;
  TimeUs deadlineUs_ = kNever;
  size_t advertisedWindow_ = 0;
  std::array<uint32_t, kMaxDuplicates> duplicates_{};
  size_t duplicateCount_ = 0;
};

}  // namespace sluice::sctp
