// A bad network in one direction, for clients that are tried out on a good one: loss, delay, jitter, a bottleneck. The
// simulator has its own (sim/src/network/link.ts), of which this is the part that a load test needs.
#pragma once

#include <optional>

#include "../core/wire/types.h"
#include "variation.h"

namespace sluice::peer {

struct Conditions {
  double loss = 0;  ///< 0 to 1, each datagram by itself
  TimeUs delayUs = 0;
  /// Standard deviation of the delay that is added; datagrams keep their order.
  TimeUs jitterUs = 0;
  /// Of the bottleneck, headers included; 0: none.
  uint64_t bitsPerSecond = 0;

  [[nodiscard]] bool perfect() const { return loss == 0 && delayUs == 0 && jitterUs == 0 && bitsPerSecond == 0; }
};

class Impairment {
 public:
  /// What the bottleneck's queue holds before it drops.
  static constexpr TimeUs kQueueUs = 200 * kMillisecondUs;

  Impairment(const Conditions& conditions, uint64_t seed) : conditions_(conditions), variation_(seed) {}

  /// When a datagram that is sent now arrives; empty: it does not.
  [[nodiscard]] std::optional<TimeUs> pass(size_t bytes, TimeUs nowUs);
  [[nodiscard]] bool perfect() const { return conditions_.perfect(); }

 private:
  Conditions conditions_;
  Variation variation_;
  TimeUs busyUntilUs_ = 0;
  TimeUs lastArrivalUs_ = 0;
};

}  // namespace sluice::peer
