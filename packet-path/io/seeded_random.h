// Randomness that is the same every time: for simulations, and for nothing that must not be guessed.
#pragma once

#include <algorithm>
#include <cstring>

#include "../core/wire/types.h"

namespace sluice::io {

/// SplitMix64 (Steele, Lea, Flood 2014): every seed is as good as every other.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }

  void fill(MutableBytes out) {
    for (size_t at = 0; at < out.size(); at += sizeof(uint64_t)) {
      const uint64_t word = next();
      std::memcpy(out.data() + at, &word, std::min(sizeof word, out.size() - at));
    }
  }

 private:
  uint64_t state_;
};

}  // namespace sluice::io
