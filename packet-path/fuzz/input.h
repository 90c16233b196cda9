// A fuzz input read as a list of decisions. Past its end everything is zero.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/wire/types.h"

namespace sluice::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}

  [[nodiscard]] bool empty() const { return rest_.empty(); }
  uint8_t u8() {
    const Bytes b = bytes(1);
    return b.empty() ? uint8_t{0} : b[0];
  }
  uint16_t u16() { return static_cast<uint16_t>((u8() << 8) | u8()); }
  /// At most `n` bytes, fewer at the end.
  Bytes bytes(size_t n) {
    const Bytes taken = rest_.first(std::min(n, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  Bytes rest_;
};

/// What must hold whatever the input.
inline void require(bool holds, const char* claim) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", claim);
  std::abort();
}

}  // namespace sluice::fuzz
