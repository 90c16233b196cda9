#include "retransmission_timer.h"

#include <algorithm>
#include <cstdlib>

namespace sluice::sctp {
namespace {

/// Deliberately below RFC 9260's RTO.Min of 1 s, as every WebRTC end has it: above the 200 ms that a peer may delay its
/// SACK, twice.
constexpr TimeUs kMinTimeoutUs = 400 * kMillisecondUs;
/// Deliberately below RTO.Max of 60 s: a path that works again after an outage is to be found quickly.
constexpr TimeUs kMaxTimeoutUs = 3 * kSecondUs;
/// RFC 9260 §16 Association.Max.Retrans. With the timeouts above the association outlives a silence of 24 s, so that it
/// is consent (RFC 7675) that ends a session, not we.
constexpr uint32_t kMaxErrors = 10;

}  // namespace

void RetransmissionTimer::measure(TimeUs sentAtUs, TimeUs nowUs) {
  if (sentAtUs < measureFromUs_) return;
  measureFromUs_ = nowUs;
  const TimeUs roundTripUs = nowUs - sentAtUs;
  if (!measured_) {  // C2
    measured_ = true;
    smoothedUs_ = roundTripUs;
    variationUs_ = roundTripUs / 2;
  } else {  // C3: RTO.Beta is 1/4, RTO.Alpha 1/8
    variationUs_ += (std::abs(smoothedUs_ - roundTripUs) - variationUs_) / 4;
    smoothedUs_ += (roundTripUs - smoothedUs_) / 8;
  }
  timeoutUs_ = std::clamp(smoothedUs_ + 4 * variationUs_, kMinTimeoutUs, kMaxTimeoutUs);
}

bool RetransmissionTimer::backOff() {
  timeoutUs_ = std::min(2 * timeoutUs_, kMaxTimeoutUs);
  return ++errors_ <= kMaxErrors;
}

}  // namespace sluice::sctp
