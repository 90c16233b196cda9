#include "impairment.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sluice::peer {

namespace {

constexpr uint64_t kHeaderBytes = 28;  // IPv4 and UDP

}  // namespace

std::optional<TimeUs> Impairment::pass(size_t bytes, TimeUs nowUs) {
  if (conditions_.loss > 0 && variation_.unit() < conditions_.loss) return {};
  TimeUs atUs = nowUs;
  if (conditions_.bitsPerSecond > 0) {
    const TimeUs freeUs = std::max(busyUntilUs_, nowUs);
    if (freeUs - nowUs > kQueueUs) return {};
    const uint64_t bits = (bytes + kHeaderBytes) * 8;
    busyUntilUs_ = freeUs + static_cast<TimeUs>(bits * static_cast<uint64_t>(kSecondUs) / conditions_.bitsPerSecond);
    atUs = busyUntilUs_;
  }
  atUs += conditions_.delayUs;
  if (conditions_.jitterUs > 0) {
    // Half a normal distribution, by the Box–Muller transform.
    const double radius = std::sqrt(-2 * std::log(1 - variation_.unit()));
    const double normal = radius * std::cos(2 * std::numbers::pi * variation_.unit());
    atUs += static_cast<TimeUs>(std::abs(normal) * static_cast<double>(conditions_.jitterUs));
  }
  lastArrivalUs_ = std::max(lastArrivalUs_, atUs);
  return lastArrivalUs_;
}

}  // namespace sluice::peer
