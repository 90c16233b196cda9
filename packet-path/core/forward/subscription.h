// One subscriber's view of a track: which packets it gets, and under which numbers, so that its stream is continuous
// whatever happens to the source.
#pragma once

#include <array>

#include "../packet/packet.h"

namespace sluice::forward {

/// Decides for each packet of a track, in the order of arrival. Sequence numbers and timestamps of one source are
/// shifted by a constant, hence arrival order does not matter within it. A new source (another SSRC, another encoding,
/// numbers that began anew, the first packet after a pause) continues right behind what was sent last; video does so at
/// a key frame only.
class Subscription {
 public:
  enum class Verdict : uint8_t {
    kForward,
    kWaitingForKeyFrame,  ///< nothing can be decoded before one: ask for it
    kOtherEncoding,
    kPaused,
    kLate,  ///< belongs before the point where this source was entered
  };

  struct Rewritten {
    SeqNo seq = 0;  ///< extended: grows across the wraps of the wire's number
    uint32_t timestamp = 0;
  };

  /// Loss beyond this many packets breaks the stream off: its sender is back after an outage (or restarted), and no
  /// receiver can repair that.
  static constexpr SeqNo kMaxGap = 1'000;
  /// A packet further behind than any receiver of ours lets through comes from a source that was set up anew under the
  /// same SSRC.
  static constexpr SeqNo kMaxBehind = 4'096;

  /// `firstSeq`: the number of the first packet that will be sent, chosen at random within 0 … 2^15 (RFC 3550 §5.1;
  /// the lower half, so that loss of the first packets leaves no doubt about the rollover counter, RFC 3711 §3.3.1), or
  /// where an earlier stream of the same SSRC ended. `random` shifts timestamps.
  Subscription(uint64_t random, SeqNo firstSeq)
      : nextSeq_(firstSeq), timestampOffset_(static_cast<uint32_t>(random >> 32)) {}

  /// `preferred`: the encoding that this subscriber should get.
  [[nodiscard]] Verdict consider(const Packet& packet, uint8_t preferred, Rewritten& out);

  void setPaused(bool paused);
  /// The track is another one now: whatever comes next is a source to be entered anew.
  void leaveSource() {
    flowing_ = false;
    waitsForKeyFrame_ = false;
  }
  [[nodiscard]] bool paused() const { return paused_; }
  /// Packets flow: a source was entered.
  [[nodiscard]] bool flowing() const { return flowing_ && !paused_; }
  /// True while a video source cannot be entered for want of a key frame.
  [[nodiscard]] bool waitsForKeyFrame() const { return waitsForKeyFrame_; }
  /// The encoding that flows, or that is waited for.
  [[nodiscard]] uint8_t encoding() const { return encoding_; }

  /// The source that flows, and how its numbers map: out = in + offset.
  [[nodiscard]] Ssrc source() const { return source_; }
  [[nodiscard]] SeqNo sequenceOffset() const { return sequenceOffset_; }
  [[nodiscard]] uint32_t timestampOffset() const { return timestampOffset_; }
  /// First incoming number of the source that flows.
  [[nodiscard]] SeqNo enteredAt() const { return enteredAt_; }
  /// The number after the highest sent.
  [[nodiscard]] SeqNo nextSeq() const { return nextSeq_; }
  /// Grows with every source that was entered.
  [[nodiscard]] uint32_t sources() const { return sources_; }
  struct Source {
    Ssrc ssrc = 0;
    uint8_t encoding = 0;
    uint32_t timestampOffset = 0;
  };
  /// The source with this number, modulo 128; null when it is not among the last few.
  [[nodiscard]] const Source* sourceAt(uint8_t number) const;

 private:
  [[nodiscard]] bool continues(const Packet& packet) const;
  void enter(const Packet& packet);
  Rewritten rewrite(const Packet& packet);

  SeqNo nextSeq_;
  uint32_t timestampOffset_;
  SeqNo sequenceOffset_ = 0;
  SeqNo enteredAt_ = 0;
  SeqNo highestIn_ = 0;
  Ssrc source_ = 0;
  uint32_t lastTimestamp_ = 0;  // of the newest packet sent
  TimeUs lastSentAtUs_ = 0;     // when it had been received
  uint32_t sources_ = 0;
  std::array<Source, 4> recentSources_{};  // by number, modulo 4
  uint8_t encoding_ = 0;
  bool flowing_ = false;
  bool paused_ = false;
  bool waitsForKeyFrame_ = false;
};

}  // namespace sluice::forward
