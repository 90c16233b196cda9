#include "probe_run.h"

#include <algorithm>

namespace sluice::congestion {

void ProbeRun::begin(const Probe& probe, TimeUs nowUs) {
  *this = {};
  probe_ = probe;
  beganUs_ = nowUs;
  active_ = probe.rate > 0;
}

ProbeId ProbeRun::sent(uint32_t bytes, TimeUs nowUs) {
  if (!active_) return 0;
  bytes_ += bytes;
  ++packets_;
  lastSentUs_ = nowUs;
  // Everything at one moment has no rate: a burst of media alone is no probe.
  if (isFull() && nowUs > beganUs_) active_ = false;
  return probe_.id;
}

uint32_t ProbeRun::due(TimeUs nowUs) const {
  if (!active_) return 0;
  if (isFull()) return nowUs > beganUs_ ? 1 : 0;  // the second moment
  const TimeUs owedUs = nowUs + kStepUs - paidUntilUs();
  if (owedUs <= 0) return 0;
  return std::max<uint32_t>(1, static_cast<uint32_t>(probe_.rate * std::min(owedUs, 2 * kStepUs) / (8 * kSecondUs)));
}

TimeUs ProbeRun::nextDeadline() const {
  if (!active_) return kNever;
  if (packets_ == 0) return beganUs_;
  if (isFull()) return lastSentUs_ + kStepUs;
  return std::max(paidUntilUs(), lastSentUs_ + kStepUs);
}

TimeUs ProbeRun::paidUntilUs() const {
  return beganUs_ +
         static_cast<TimeUs>(bytes_ * 8 * static_cast<uint64_t>(kSecondUs) / static_cast<uint64_t>(probe_.rate));
}

}  // namespace sluice::congestion
