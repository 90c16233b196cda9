// A keyed hash and the random numbers made of it. The association gets strong bytes once and asks for no more.
#pragma once

#include <array>
#include <cstdint>

#include "../wire/types.h"
#include "types.h"

namespace sluice::sctp {

using HashKey = std::array<uint8_t, 16>;

/// SipHash-2-4 (Aumasson, Bernstein 2012): a pseudo-random function for short inputs.
[[nodiscard]] uint64_t keyedHash(const HashKey& key, Bytes bytes);

/// Numbers nobody without the seed can foretell.
class Random {
 public:
  explicit Random(const Seed& seed);

  [[nodiscard]] uint32_t next();
  /// A verification tag is never zero (RFC 9260 §5.3.1).
  [[nodiscard]] uint32_t nextTag();
  /// For authenticating what we gave the peer to keep.
  [[nodiscard]] const HashKey& key() const { return key_; }

 private:
  HashKey key_{};
  uint64_t counter_ = 0;
};

}  // namespace sluice::sctp
