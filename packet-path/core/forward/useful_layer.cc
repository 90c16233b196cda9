#include "useful_layer.h"

#include <algorithm>

namespace sluice::forward {

namespace {

// Cameras are a little faster or slower than they say, and a second holds a frame more or less.
constexpr double kEnterWithin = 1.07;
constexpr double kLeaveBeyond = 1.15;

}  // namespace

Layer usefulLayer(const TrackWish& wish, const Layers& layers, Layer before, TimeUs nowUs) {
  Layer useful{std::min<uint8_t>(wish.spatial, kBestLayer.spatial), kBestLayer.temporal};
  if (wish.maxFps == 0) return useful;
  const uint8_t spatial = layers.pick(useful.spatial);
  const uint8_t top = layers.temporal(spatial);
  if (layers.framesPerSecond({spatial, top}, nowUs) == 0) return {useful.spatial, before.temporal};
  useful.temporal = 0;
  for (uint8_t t = 1; t <= top; ++t) {
    const double limit = wish.maxFps * (t <= before.temporal ? kLeaveBeyond : kEnterWithin);
    if (layers.framesPerSecond({spatial, t}, nowUs) <= limit) useful.temporal = t;
  }
  // Nothing is left out: should the track get another layer, that one will be judged when it is there.
  if (useful.temporal == top) useful.temporal = kBestLayer.temporal;
  return useful;
}

}  // namespace sluice::forward
