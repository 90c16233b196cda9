// Delays by the microsecond: exact quantiles without keeping the samples.
#pragma once

#include <cstdint>
#include <vector>

namespace sluice::bench {

class DelayHistogram {
 public:
  /// A tenth of a second; what takes longer counts as that.
  static constexpr size_t kBuckets = 100'000;

  void add(int64_t us) {
    const size_t bucket = us < 0 ? 0 : us >= static_cast<int64_t>(kBuckets) ? kBuckets - 1 : static_cast<size_t>(us);
    ++counts_[bucket];
    ++total_;
  }

  /// The delay that `share` (0 to 1) of the samples do not exceed, in microseconds; 0 without samples.
  [[nodiscard]] uint32_t quantile(double share) const {
    const auto rank = static_cast<uint64_t>(share * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t i = 0; i < kBuckets; ++i) {
      seen += counts_[i];
      if (seen > rank) return static_cast<uint32_t>(i);
    }
    return 0;
  }
  [[nodiscard]] uint64_t total() const { return total_; }
  void clear() {
    counts_.assign(kBuckets, 0);
    total_ = 0;
  }

 private:
  std::vector<uint64_t> counts_ = std::vector<uint64_t>(kBuckets, 0);
  uint64_t total_ = 0;
};

}  // namespace sluice::bench
