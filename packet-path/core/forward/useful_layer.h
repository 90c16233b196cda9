// What a client's wish means for the layers that a track has.
#pragma once

#include "../spec.h"
#include "layers.h"

namespace sluice::forward {

/// The best layer that a wish has a use for. `before` is what it was: where measured frame rates waver around what is
/// wished, it stays.
[[nodiscard]] Layer usefulLayer(const TrackWish& wish, const Layers& layers, Layer before, TimeUs nowUs);

}  // namespace sluice::forward
