// Randomness of simulated media: frame sizes and phases. One seed, one course of things; nothing here need be secret.
#pragma once

#include <cstdint>

namespace sluice::peer {

/// SplitMix64 (Steele, Lea, Flood 2014).
class Variation {
 public:
  explicit Variation(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double between(double least, double most) { return least + (most - least) * unit(); }

 private:
  uint64_t state_;
};

}  // namespace sluice::peer
