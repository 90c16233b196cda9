// How long things took, from a microsecond to hours, to within 3 %, in 3 KB whatever their number.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "../core/wire/types.h"

namespace sluice::peer {

class DelayHistogram {
 public:
  /// Negative delays (clocks that disagree) count as none.
  void add(TimeUs delayUs) {
    ++counts_[bucket(static_cast<uint64_t>(std::max<TimeUs>(0, delayUs)))];
    ++total_;
    maxUs_ = std::max(maxUs_, delayUs);
  }
  void add(const DelayHistogram& other) {
    for (size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    maxUs_ = std::max(maxUs_, other.maxUs_);
  }
  /// What came since `earlier` was this one. The longest delay stays: it is not known when it was.
  [[nodiscard]] DelayHistogram since(const DelayHistogram& earlier) const {
    DelayHistogram out;
    for (size_t i = 0; i < kBuckets; ++i) {
      out.counts_[i] = counts_[i] - std::min(counts_[i], earlier.counts_[i]);
      out.total_ += out.counts_[i];
    }
    out.maxUs_ = maxUs_;
    return out;
  }
  void clear() { *this = {}; }

  /// What `share` (0 to 1) of the delays do not exceed; 0 without any.
  [[nodiscard]] TimeUs quantile(double share) const {
    const auto rank = static_cast<uint64_t>(share * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen > rank) return std::min(upperEdge(i), maxUs_);
    }
    return maxUs_;
  }
  [[nodiscard]] TimeUs max() const { return maxUs_; }
  [[nodiscard]] uint64_t total() const { return total_; }

 private:
  // 32 buckets an octave: exact below 64, then within 1/32.
  static constexpr uint32_t kBits = 5;
  static constexpr size_t kOctaves = 27;  // 2^32 µs is more than an hour
  static constexpr size_t kBuckets = (size_t{1} << kBits) * (kOctaves + 1);

  static size_t bucket(uint64_t value) {
    const auto width = static_cast<uint32_t>(std::bit_width(value));
    if (width <= kBits + 1) return static_cast<size_t>(value);
    const uint32_t octave = width - kBits - 1;
    const size_t at = (size_t{octave} << kBits) + static_cast<size_t>(value >> octave);
    return std::min(at, kBuckets - 1);
  }
  static TimeUs upperEdge(size_t bucket) {
    if (bucket < size_t{2} << kBits) return static_cast<TimeUs>(bucket);
    const size_t octave = (bucket >> kBits) - 1;
    const uint64_t mantissa = bucket - (octave << kBits);
    return static_cast<TimeUs>(((mantissa + 1) << octave) - 1);
  }

  std::array<uint32_t, kBuckets> counts_{};
  uint64_t total_ = 0;
  TimeUs maxUs_ = 0;
};

}  // namespace sluice::peer
