// Picture ids of VP8 and VP9: 7 or 15 bits on the wire, 64 inside.
#pragma once

#include <cstdint>

#include "frame_info.h"

namespace sluice::forward {

/// The number nearest to `newest` that ends like this id. The first is put a cycle up, so that what is a little older
/// stays positive.
[[nodiscard]] constexpr int64_t extendPicture(uint16_t id, bool longId, int64_t newest) {
  const int64_t cycle = longId ? 1 << 15 : 1 << 7;
  if (newest == FrameInfo::kNoPicture) return (1 << 15) + id;
  const int64_t ahead = (id - newest) & (cycle - 1);
  return newest + (ahead < cycle / 2 ? ahead : ahead - cycle);
}

}  // namespace sluice::forward
