// The sending of one probe: its octets spread over its time, whatever carries them.
#pragma once

#include "prober.h"

namespace sluice::congestion {

/// Media that leaves meanwhile is part of the probe; padding makes up for what is missing at its rate.
class ProbeRun {
 public:
  /// What is due within this time leaves in one burst. A wake-up more often than that costs more than it tells.
  static constexpr TimeUs kStepUs = 5 * kMillisecondUs;

  void begin(const Probe& probe, TimeUs nowUs);
  /// A packet left; returns the probe it belongs to, 0 for none.
  ProbeId sent(uint32_t bytes, TimeUs nowUs);

  /// Octets of padding that should leave now; 0 when none.
  [[nodiscard]] uint32_t due(TimeUs nowUs) const;
  [[nodiscard]] bool active() const { return active_; }
  /// kNever when no probe is under way.
  [[nodiscard]] TimeUs nextDeadline() const;

 private:
  [[nodiscard]] bool isFull() const { return bytes_ >= probe_.bytes && packets_ >= probe_.packets; }
  /// When what has left would have left at the probe's rate.
  [[nodiscard]] TimeUs paidUntilUs() const;

  Probe probe_;
  TimeUs beganUs_ = 0;
  TimeUs lastSentUs_ = 0;
  uint64_t bytes_ = 0;
  uint32_t packets_ = 0;
  bool active_ = false;
};

}  // namespace sluice::congestion
