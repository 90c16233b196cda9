// Which packet of an incoming stream a wire sequence number means, and whether it was here before.
#pragma once

#include <array>
#include <optional>

#include "../wire/types.h"

namespace sluice::receive {

/// Extends sequence numbers to 64 bits, finds duplicates and gaps, and survives a sender that starts again elsewhere
/// (RFC 3550 appendix A.1). Numbers only grow: a restarted sender goes on above everything seen before.
class Sequence {
 public:
  /// Packets that remain distinguishable behind the highest. One second at 8 Mbit/s, which is how late a
  /// retransmission can be and still help.
  static constexpr SeqNo kWindow = 1'024;
  /// A jump ahead of more than this is not loss (RFC 3550 appendix A.1, MAX_DROPOUT).
  static constexpr SeqNo kMaxJump = 3'000;

  enum class Verdict : uint8_t { kNew, kDuplicate, kTooOld };

  struct Outcome {
    Verdict verdict = Verdict::kTooOld;
    SeqNo seq = 0;
    /// Numbers between the highest before and this one: they are missing now. Empty range unless kNew.
    SeqNo missingFrom = 0;
    SeqNo missingTo = 0;
    bool restarted = false;  ///< the sender's numbers began anew with this packet
  };

  /// A packet with this wire number arrived.
  Outcome note(uint16_t wire);
  /// A repaired packet: its number is extended and noted, but never restarts the sequence nor advances it.
  /// Empty before the first packet, and when it is too far from the highest.
  std::optional<Outcome> noteRepaired(uint16_t wire);

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] SeqNo highest() const { return highest_; }
  /// Numbers that should have arrived since the start, across restarts.
  [[nodiscard]] int64_t expected() const { return started_ ? expectedBefore_ + highest_ - base_ + 1 : 0; }

 private:
  Outcome start(SeqNo seq);
  Outcome noteBehind(SeqNo seq);
  [[nodiscard]] bool seen(SeqNo seq) const { return (bits_[word(seq)] >> (static_cast<uint64_t>(seq) % 64) & 1) != 0; }
  void mark(SeqNo seq) { bits_[word(seq)] |= uint64_t{1} << (static_cast<uint64_t>(seq) % 64); }
  void clear(SeqNo seq) { bits_[word(seq)] &= ~(uint64_t{1} << (static_cast<uint64_t>(seq) % 64)); }
  static size_t word(SeqNo seq) { return static_cast<uint64_t>(seq) / 64 % (kWindow / 64); }

  std::array<uint64_t, kWindow / 64> bits_{};
  SeqNo base_ = 0;
  SeqNo highest_ = 0;
  int64_t expectedBefore_ = 0;
  int32_t restartAt_ = -1;  // wire number that would prove a restart
  bool started_ = false;
};

}  // namespace sluice::receive
