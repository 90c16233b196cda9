// Is the queue at the bottleneck growing? Groups packets into bursts, fits a line through how their delay varies, and
// compares its slope with a threshold that adapts (draft-ietf-rmcat-gcc-02 §5.2–5.4; the trendline filter stands where
// the draft has a Kalman filter, as in libwebrtc since M57).
#pragma once

#include <array>
#include <optional>

#include "types.h"

namespace sluice::congestion {

/// Difference between two neighbouring groups of packets.
struct GroupDelta {
  TimeUs sendUs = 0;
  TimeUs arrivalUs = 0;
};

/// Packets sent within 5 ms of each other are one group: a pacer's burst says nothing about the path (draft §5.2).
class GroupDeltas {
 public:
  [[nodiscard]] std::optional<GroupDelta> add(TimeUs sentAtUs, TimeUs receivedAtUs);

 private:
  struct Group {
    TimeUs firstSentUs = 0;
    TimeUs lastSentUs = 0;
    TimeUs firstArrivalUs = 0;
    TimeUs lastArrivalUs = 0;
  };
  [[nodiscard]] bool belongs(TimeUs sentAtUs, TimeUs receivedAtUs) const;

  std::optional<Group> current_;
  std::optional<Group> previous_;
};

class DelayDetector {
 public:
  /// Received packets in order of arrival.
  void add(const PacketResult& packet, TimeUs nowUs);
  [[nodiscard]] Usage usage() const { return usage_; }
  /// ms of queueing delay per ms, times gain: what is compared with the threshold.
  [[nodiscard]] double modifiedTrend() const { return modifiedTrend_; }
  [[nodiscard]] double threshold() const { return threshold_; }

 private:
  struct Point {
    double arrivalMs;
    double smoothedDelayMs;
  };
  static constexpr size_t kWindow = 20;

  void addDelta(const GroupDelta& delta, TimeUs arrivalUs, TimeUs nowUs);
  [[nodiscard]] std::optional<double> slope() const;
  void detect(double trend, double sendDeltaMs, TimeUs nowUs);
  void adapt(double modifiedTrend, TimeUs nowUs);

  GroupDeltas groups_;
  std::array<Point, kWindow> points_{};
  size_t count_ = 0;
  size_t next_ = 0;
  uint32_t deltas_ = 0;
  TimeUs firstArrivalUs_ = kNever;
  double accumulatedMs_ = 0;
  double smoothedMs_ = 0;
  double previousTrend_ = 0;
  double modifiedTrend_ = 0;
  double threshold_ = 12.5;  // ms; draft §5.4's initial value
  TimeUs thresholdAtUs_ = kNever;
  double overusingMs_ = -1;
  uint32_t overuses_ = 0;
  Usage usage_ = Usage::kNormal;
};

}  // namespace sluice::congestion
