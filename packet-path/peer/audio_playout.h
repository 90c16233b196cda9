// What a browser makes of an audio stream's packets: which of them were there when they had to be played, and how much
// had to be made up. A model of libwebrtc's NetEq: a buffer as deep as is worth it, found out by watching.
#pragma once

#include <array>

#include "../core/packet/packet.h"
#include "delay_histogram.h"
#include "mark.h"

namespace sluice::peer {

struct AudioTotals {
  uint64_t framesPlayed = 0;
  uint64_t framesConcealed = 0;
  uint64_t framesLate = 0;       ///< came, but after their time
  uint64_t framesRedundant = 0;  ///< saved by RED or retransmission
  TimeUs bufferUs = 0;           ///< how long packets wait now
  uint32_t source = 0;
  TimeUs firstFrameUs = kNever;
  TimeUs lastFrameUs = kNever;
};

class AudioPlayout {
 public:
  static constexpr int64_t kFrameTicks = 960;
  static constexpr TimeUs kFrameUs = 20 * kMillisecondUs;

  /// A packet that is new; `red`: its payload is RFC 2198's.
  void receive(const Packet& packet, bool red, TimeUs clockOffsetUs, TimeUs nowUs);
  [[nodiscard]] const AudioTotals& totals(TimeUs nowUs);
  /// From sending to arrival, of each packet.
  [[nodiscard]] const DelayHistogram& delays() const { return delays_; }

 private:
  /// Frames around the one that plays of which something is known: five seconds each way.
  static constexpr size_t kFrames = 512;
  /// Packets whose lateness decides the depth of the buffer: four seconds.
  static constexpr size_t kWatched = 200;

  enum class State : uint8_t { kSilent, kMissing, kHere };

  [[nodiscard]] State& state(int64_t frame) { return states_[static_cast<uint64_t>(frame) % kFrames]; }
  void start(int64_t frame, TimeUs nowUs);
  void noteGap(int64_t frame, SeqNo seq);
  void arrived(int64_t frame, bool redundant);
  void watch(TimeUs transitUs);
  void play(TimeUs nowUs);
  void splitRed(const Packet& packet);
  [[nodiscard]] int64_t frameOf(int64_t timestamp) const { return (timestamp - firstTimestamp_) / kFrameTicks; }
  [[nodiscard]] TimeUs playsAtUs(int64_t frame) const { return frame * kFrameUs + leastTransitUs_ + totals_.bufferUs; }

  std::array<State, kFrames> states_{};
  std::array<TimeUs, kWatched> transits_{};
  size_t watched_ = 0;
  AudioTotals totals_;
  DelayHistogram delays_;
  bool started_ = false;
  int64_t firstTimestamp_ = 0;
  int64_t lastTimestamp_ = 0;  // extended, of the highest number
  SeqNo highest_ = 0;
  int64_t newest_ = 0;  // frame of the highest number
  int64_t next_ = 0;    // the first frame not yet played
  TimeUs leastTransitUs_ = 0;
};

}  // namespace sluice::peer
