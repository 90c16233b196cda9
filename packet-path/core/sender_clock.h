// A sender's own time: what its last sender report said of one stream (RFC 3550 §6.4.1).
#pragma once

#include "wire/types.h"

namespace sluice {

struct SenderClock {
  Ssrc ssrc = 0;
  uint64_t ntp = 0;
  uint32_t rtpTimestamp = 0;  ///< the same instant on the stream's clock
  TimeUs atUs = kNever;       ///< when we heard it

  [[nodiscard]] bool isSet() const { return atUs != kNever; }
};

}  // namespace sluice
