// Redundant audio (RFC 2198): where in a payload the newest frame is.
#pragma once

#include <optional>

#include "types.h"

namespace sluice::wire {

struct RedPrimary {
  uint8_t payloadType = 0;
  size_t offset = 0;  ///< of the primary block, which reaches to the payload's end (RFC 2198 §3)
};

/// Empty when the block headers or the blocks they announce do not fit.
[[nodiscard]] constexpr std::optional<RedPrimary> readRedPrimary(Bytes payload) {
  size_t redundant = 0;
  for (size_t at = 0; at < payload.size();) {
    const auto payloadType = static_cast<uint8_t>(payload[at] & 0x7F);
    if ((payload[at] & 0x80) == 0) {
      const size_t offset = at + 1 + redundant;
      if (offset > payload.size()) return {};
      return RedPrimary{payloadType, offset};
    }
    if (payload.size() - at < 4) return {};
    redundant += readU16(payload.data() + at + 2) & 0x3FFU;
    at += 4;
  }
  return {};
}

}  // namespace sluice::wire
