#include "timeline.h"

#include <algorithm>
#include <cstdlib>

namespace sluice::forward {

namespace {

// A timestamp this far from where the clock should be is a new time line of the same source.
constexpr int64_t kMaxSkewSeconds = 5;
// Reports that put a source this far from where its packets arrive are not believed: encodings of one camera take the
// same way, and no jitter buffer would bridge the difference.
constexpr int64_t kMaxReportSkewMs = 1'000;

// Sender time that passed (32.32 fixed point seconds, RFC 3550 §4), in units of a clock.
uint32_t onClock(uint64_t ntpTo, uint64_t ntpFrom, uint32_t rateHz) {
  const auto passed = static_cast<int64_t>(ntpTo - ntpFrom);
  const auto magnitude = static_cast<uint64_t>(std::abs(passed));
  const uint64_t units = (magnitude >> 32) * rateHz + (((magnitude & 0xFFFF'FFFF) * rateHz) >> 32);
  return static_cast<uint32_t>(passed < 0 ? 0 - units : units);
}

}  // namespace

void Timeline::enter(const Sample& first, const SenderClock* clock, const SenderClock* before, bool sameSource) {
  if (!last_) return;
  // Where the subscriber's clock should stand now, judged by how long it is since the last packet.
  const uint32_t lastSent = last_->timestamp + offset_;
  const int64_t elapsedUs = std::max<int64_t>(first.receivedAtUs - last_->receivedAtUs, 0);
  const auto elapsed = static_cast<uint32_t>(elapsedUs * first.clockRateHz / kSecondUs);
  const uint32_t expected = lastSent + std::max<uint32_t>(elapsed, 1);
  if (sameSource) {
    const int64_t skew = static_cast<int32_t>(first.timestamp + offset_ - expected);
    if (std::abs(skew) < kMaxSkewSeconds * first.clockRateHz) return;
  }
  if (before != nullptr && !anchored_) {
    anchored_ = true;
    anchorNtp_ = before->ntp;
    anchorTimestamp_ = before->rtpTimestamp + offset_;
  }
  std::optional<uint32_t> start;
  if (clock != nullptr && anchored_) start = byReports(first, *clock, expected);
  if (!start) {
    anchored_ = false;
    start = expected;
  }
  // Time goes on: a frame of the new source that is not newer than the last one sent stands right behind it.
  if (static_cast<int32_t>(*start - lastSent) <= 0) start = lastSent + 1;
  offset_ = *start - first.timestamp;
}

std::optional<uint32_t> Timeline::byReports(const Sample& first, const SenderClock& clock, uint32_t expected) {
  const uint32_t reported = anchorTimestamp_ + onClock(clock.ntp, anchorNtp_, first.clockRateHz);
  const uint32_t start = reported + (first.timestamp - clock.rtpTimestamp);
  const int64_t skew = static_cast<int32_t>(start - expected);
  if (std::abs(skew) > kMaxReportSkewMs * first.clockRateHz / 1'000) return {};
  return start;
}

}  // namespace sluice::forward
