// Transmission and stream sequence numbers, extended to 64 bits once they have arrived so that they only grow.
#pragma once

#include <cstdint>

#include "../wire/types.h"

namespace sluice::sctp {

/// Transmission sequence number (RFC 9260 §1.6). `static_cast<uint32_t>` of it stands on the wire.
using Tsn = int64_t;
/// Stream sequence number; `static_cast<uint16_t>` of it stands on the wire.
using Ssn = int64_t;

/// The number nearest to `reference` that is written as `wire` (serial arithmetic, RFC 9260 §1.6).
constexpr Tsn extendTsn(uint32_t wire, Tsn reference) {
  return reference + static_cast<int32_t>(wire - static_cast<uint32_t>(reference));
}
constexpr Ssn extendSsn(uint16_t wire, Ssn reference) {
  return reference + static_cast<int16_t>(static_cast<uint16_t>(wire - static_cast<uint16_t>(reference)));
}

}  // namespace sluice::sctp
