// When to let datagrams gather. Where they come one by one in quick succession, waking up for each costs more than
// serving it: 20 µs on a virtual machine against 3 for an audio packet that is forwarded.
#pragma once

#include <algorithm>

#include "../core/wire/types.h"

namespace sluice::io {

class Gathering {
 public:
  /// What it may add to a packet's way: a fortieth of what an audio packet holds, and about what a frame's burst to a
  /// hundred subscribers takes.
  static constexpr TimeUs kRestUs = 500;
  /// So many wake-ups in a row, each this soon after the one before, are a succession.
  static constexpr int kSuccession = 3;
  static constexpr TimeUs kSoonUs = 2 * kRestUs;
  /// For less it is not worth going to sleep: timers are late by as much (PR_SET_TIMERSLACK).
  static constexpr TimeUs kLeastRestUs = 100;

  /// Datagrams had come when the thread woke up.
  void woke(TimeUs nowUs) {
    inARow_ = nowUs - wokeUs_ <= kSoonUs ? std::min(inARow_ + 1, kSuccession) : 0;
    wokeUs_ = nowUs;
  }

  /// How long to let datagrams gather before looking for them; 0: wait for the next one as ever.
  [[nodiscard]] TimeUs restUs(TimeUs nowUs) const {
    if (inARow_ < kSuccession) return 0;
    const TimeUs leftUs = wokeUs_ + kRestUs - nowUs;
    return leftUs >= kLeastRestUs ? leftUs : 0;
  }

 private:
  TimeUs wokeUs_ = INT64_MIN / 2;
  int inARow_ = 0;
};

}  // namespace sluice::io
