// The round trip to a client, from whatever measured it.
#pragma once

#include "wire/types.h"

namespace sluice {

class Rtt {
 public:
  /// Taken until something was measured: a client on another continent waits a little, a near one is asked once less.
  static constexpr TimeUs kAssumedUs = 100 * kMillisecondUs;

  void note(TimeUs sampleUs) {
    // RFC 6298 §2.3, alpha 1/8.
    smoothedUs_ = measured_ ? smoothedUs_ + (sampleUs - smoothedUs_) / 8 : sampleUs;
    measured_ = true;
  }
  [[nodiscard]] TimeUs us() const { return measured_ ? smoothedUs_ : kAssumedUs; }
  [[nodiscard]] bool measured() const { return measured_; }

 private:
  TimeUs smoothedUs_ = 0;
  bool measured_ = false;
};

}  // namespace sluice
