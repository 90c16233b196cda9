// HMAC-SHA1 (RFC 2104) with the key's two hash states computed once: STUN message integrity and SRTP authentication
// use one key for very many short messages.
#pragma once

#include <array>

#include "types.h"

namespace sluice::wire {

class HmacSha1 {
 public:
  static constexpr size_t kBytes = 20;
  using Tag = std::array<uint8_t, kBytes>;

  HmacSha1() = default;
  explicit HmacSha1(Bytes key);

  /// The code over `first` followed by `second`.
  [[nodiscard]] Tag sign(Bytes first, Bytes second = {}) const;
  /// Compares the leading `expected.size()` bytes in constant time.
  [[nodiscard]] bool verify(Bytes first, Bytes second, Bytes expected) const;

 private:
  // The chaining values after one block of key, all that is needed to go on from there.
  std::array<uint32_t, 5> inner_{};
  std::array<uint32_t, 5> outer_{};
};

}  // namespace sluice::wire
