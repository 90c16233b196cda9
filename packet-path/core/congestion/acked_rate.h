// How much arrives: the rate at which the receiver got our packets, by its own clock.
#pragma once

#include <optional>

#include "types.h"

namespace sluice::congestion {

/// A first estimate after 500 ms of packets, then one each 150 ms, weighted by how much each differs from what is
/// believed: a sample far off moves the belief less at once and more when it lasts (libwebrtc's BitrateEstimator).
class AckedRate {
 public:
  /// Received packets in order of arrival.
  void add(TimeUs receivedAtUs, uint32_t bytes);
  [[nodiscard]] std::optional<Bps> rate() const;
  /// Of the last window alone: noisy, but the first to tell of a capacity that fell.
  [[nodiscard]] std::optional<Bps> recent() const;

 private:
  void sample(double bps);

  TimeUs windowStartUs_ = kNever;
  TimeUs lastUs_ = 0;
  uint64_t windowBytes_ = 0;
  double estimateBps_ = -1;
  double recentBps_ = -1;
  double variance_ = 50;  // of the belief, in units of relative uncertainty squared
};

}  // namespace sluice::congestion
