// What a browser makes of a video stream's packets: frames in order, whether they could be decoded, and when they would
// have been shown. A model of libwebrtc's frame buffer and renderer that looks at RTP and at key frames alone, and so
// needs no decoder; where a simulated source's marks are found it also checks that no reference is broken.
#pragma once

#include <array>
#include <vector>

#include "../core/packet/packet.h"
#include "delay_histogram.h"
#include "mark.h"

namespace sluice::peer {

struct VideoTotals {
  uint64_t framesDecoded = 0;
  uint64_t framesDropped = 0;  ///< began to arrive and were never shown
  uint64_t keyFrames = 0;
  uint64_t freezes = 0;
  TimeUs frozenUs = 0;
  TimeUs longestGapUs = 0;  ///< between two shown frames
  /// Frames that a decoder was given without what they refer to: a forwarder's defect, never the network's.
  uint64_t brokenReferences = 0;
  /// Of simulated sources: frames that were sent while this one watched, and how often the encoding changed.
  uint64_t framesSent = 0;
  uint64_t encodingSwitches = 0;
  uint32_t source = 0;
  uint8_t encoding = 0;
  TimeUs firstFrameUs = kNever;
  TimeUs lastFrameUs = kNever;
};

class VideoPlayout {
 public:
  /// A gap this long between two frames is a freeze when it is three times the mean as well, as browsers count it
  /// (webrtc-stats §freezeCount).
  static constexpr TimeUs kFreezeUs = 150 * kMillisecondUs;
  static constexpr size_t kFreezeFactor = 3;
  /// Of the mean interval (libwebrtc's VideoQualityObserver), and how many it takes before one counts.
  static constexpr size_t kMeanFrames = 30;
  static constexpr size_t kMinFrames = 5;
  /// Packets that may wait for an earlier one; with more missing the stream has broken off.
  static constexpr SeqNo kMaxWaiting = 2'048;

  VideoPlayout() : slots_(kFirstSlots) {}

  /// A packet that is new. True when a decoder cannot go on without a key frame.
  [[nodiscard]] bool receive(const Packet& packet, TimeUs clockOffsetUs, TimeUs nowUs);
  /// Nothing is to come for a while: the gap until then is no freeze.
  void rest() { resting_ = true; }

  /// As of now: a freeze that lasts is counted as far as it goes.
  [[nodiscard]] VideoTotals totals(TimeUs nowUs) const;
  /// From sending to completeness, of each frame.
  [[nodiscard]] const DelayHistogram& delays() const { return delays_; }
  [[nodiscard]] bool waitsForKeyFrame() const { return next_ == kNone; }

 private:
  static constexpr size_t kFirstSlots = 128;
  static constexpr SeqNo kNone = -1;

  struct Slot {
    SeqNo seq = kNone;
    uint32_t timestamp = 0;
    bool entry = false;
    bool marker = false;
    bool empty = false;  ///< padding
    bool marked = false;
    Mark mark;
  };

  [[nodiscard]] Slot& slot(SeqNo seq) { return slots_[static_cast<uint64_t>(seq) & (slots_.size() - 1)]; }
  [[nodiscard]] const Slot* find(SeqNo seq) const;
  void put(const Packet& packet);
  void giveUp(SeqNo end);
  void growTo(SeqNo distance);
  void advance(TimeUs clockOffsetUs, TimeUs nowUs);
  [[nodiscard]] SeqNo keyFrameAround(SeqNo seq) const;
  void decode(SeqNo first, SeqNo last, TimeUs clockOffsetUs, TimeUs nowUs);
  void noteMark(const Mark& mark);
  [[nodiscard]] TimeUs showAt(uint32_t timestamp, TimeUs nowUs);
  void show(TimeUs atUs);
  [[nodiscard]] TimeUs freezeThresholdUs() const;
  [[nodiscard]] bool isFreeze(TimeUs gapUs) const;

  std::vector<Slot> slots_;
  SeqNo next_ = kNone;        ///< the first packet of the next frame
  SeqNo contiguous_ = kNone;  ///< all of [next_, contiguous_) are here
  SeqNo highest_ = kNone;
  SeqNo keyFrame_ = kNone;  ///< where the newest one begins
  VideoTotals totals_;
  DelayHistogram delays_;

  // Rendering.
  bool started_ = false;
  int64_t lastTimestamp_ = 0;  // extended
  TimeUs leastTransitUs_ = 0;  // arrival minus media time, of the fastest frames
  TimeUs bufferUs_ = 0;        // what is waited beyond it, for the slower ones
  bool resting_ = false;
  std::array<TimeUs, kMeanFrames> intervals_{};
  size_t intervalCount_ = 0;
  TimeUs intervalSumUs_ = 0;

  // Of the last frame with a mark.
  std::array<uint32_t, 4> decoded_{};  // frame numbers of one encoding
  bool hasMark_ = false;
  uint32_t lastMarkedFrame_ = 0;
};

}  // namespace sluice::peer
