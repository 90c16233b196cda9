// T3-rtx and its timeout, from measured round trips (RFC 9260 §6.3).
#pragma once

#include <cstdint>

#include "../wire/types.h"

namespace sluice::sctp {

class RetransmissionTimer {
 public:
  [[nodiscard]] TimeUs timeoutUs() const { return timeoutUs_; }
  /// Smoothed; zero before the first measurement.
  [[nodiscard]] TimeUs roundTripUs() const { return smoothedUs_; }
  [[nodiscard]] TimeUs deadlineUs() const { return deadlineUs_; }
  [[nodiscard]] bool running() const { return deadlineUs_ != kNever; }

  void start(TimeUs nowUs) { deadlineUs_ = nowUs + timeoutUs_; }
  void stop() { deadlineUs_ = kNever; }

  /// A chunk sent once at `sentAtUs` was acknowledged. At most one measurement per round trip counts (C4).
  void measure(TimeUs sentAtUs, TimeUs nowUs);
  /// It ran out: the next one waits longer (E2). False when it did so too often without a sign of the peer.
  [[nodiscard]] bool backOff();
  /// The peer is there.
  void onAlive() { errors_ = 0; }

 private:
  TimeUs smoothedUs_ = 0;
  TimeUs variationUs_ = 0;
  TimeUs timeoutUs_ = kFirstTimeoutUs;
  TimeUs deadlineUs_ = kNever;
  TimeUs measureFromUs_ = 0;
  bool measured_ = false;
  uint32_t errors_ = 0;

  /// RFC 9260 §16 RTO.Initial.
  static constexpr TimeUs kFirstTimeoutUs = kSecondUs;
};

}  // namespace sluice::sctp
