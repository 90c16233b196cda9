#include "received_tsns.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

/// A gap ack block's offsets have 16 bits (RFC 9260 §3.3.4).
constexpr Tsn kMaxOffset = UINT16_MAX;
/// Some more than the 280 that one SACK reports; a SACK tells of the first ones, and those are needed first.
constexpr size_t kMaxRanges = 512;
/// Storage kept when nothing is missing.
constexpr size_t kKeptRanges = 16;

/// The first range that ends at or after `tsn`.
template <typename Ranges>
auto findRange(Ranges& ranges, Tsn tsn) {
  return std::lower_bound(ranges.begin(), ranges.end(), tsn,
                          [](const ReceivedTsns::Range& r, Tsn t) { return r.last < t; });
}

}  // namespace

ReceivedTsns::Arrival ReceivedTsns::classify(Tsn tsn) const {
  if (tsn <= cumulative_) return Arrival::kDuplicate;
  if (tsn == cumulative_ + 1) return Arrival::kNext;
  if (tsn - cumulative_ > kMaxOffset) return Arrival::kTooFar;
  const auto at = findRange(beyond_, tsn);
  if (at != beyond_.end() && at->first <= tsn) return Arrival::kDuplicate;
  if (beyond_.size() < kMaxRanges) return Arrival::kBeyond;
  const bool touches =
      (at != beyond_.end() && at->first == tsn + 1) || (at != beyond_.begin() && (at - 1)->last == tsn - 1);
  return touches ? Arrival::kBeyond : Arrival::kTooFar;
}

void ReceivedTsns::add(Tsn tsn) {
  if (tsn == cumulative_ + 1) {
    cumulative_ = tsn;
    absorb();
    return;
  }
  const auto after = findRange(beyond_, tsn);
  const bool touchesAfter = after != beyond_.end() && after->first == tsn + 1;
  const bool touchesBefore = after != beyond_.begin() && (after - 1)->last == tsn - 1;
  if (touchesBefore && touchesAfter) {
    (after - 1)->last = after->last;
    beyond_.erase(after);
  } else if (touchesBefore) {
    (after - 1)->last = tsn;
  } else if (touchesAfter) {
    after->first = tsn;
  } else {
    beyond_.insert(after, {tsn, tsn});
  }
}

void ReceivedTsns::forwardTo(Tsn cumulative) {
  if (cumulative <= cumulative_) return;
  cumulative_ = cumulative;
  absorb();
}

void ReceivedTsns::absorb() {
  auto at = beyond_.begin();
  for (; at != beyond_.end() && at->first <= cumulative_ + 1; ++at) cumulative_ = std::max(cumulative_, at->last);
  beyond_.erase(beyond_.begin(), at);
  if (beyond_.empty() && beyond_.capacity() > kKeptRanges) beyond_ = std::vector<Range>();
}

}  // namespace sluice::sctp
