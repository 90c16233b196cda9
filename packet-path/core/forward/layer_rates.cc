#include "layer_rates.h"

#include <algorithm>

namespace sluice::forward {

LayerRates::Sum* LayerRates::counted(Layer layer, TimeUs nowUs) {
  const int64_t number = nowUs / kSliceUs;
  Slice& slice = slices_[static_cast<size_t>(number) % kSlices];
  if (slice.number > number) return nullptr;
  if (slice.number != number) {
    slice = {};
    slice.number = number;
  }
  return &slice.layers[std::min<uint8_t>(layer.spatial, kMaxLayers - 1)]
                      [std::min<uint8_t>(layer.temporal, kTemporal - 1)];
}

void LayerRates::note(Layer layer, bool forLayerAlone, size_t bytes, TimeUs nowUs) {
  Sum* sum = counted(layer, nowUs);
  if (sum == nullptr) return;
  (forLayerAlone ? sum->alone : sum->shared) += static_cast<uint32_t>(bytes);
  Life& life = lives_[std::min<uint8_t>(layer.spatial, kMaxLayers - 1)];
  if (life.lastAtUs == kNever || nowUs - life.lastAtUs > kSilenceUs) life.beganAtUs = nowUs;
  life.lastAtUs = nowUs;
}

void LayerRates::noteFrame(Layer layer, TimeUs nowUs) {
  if (Sum* sum = counted(layer, nowUs)) ++sum->frames;
}

// What the slices of a layer of this age cover.
TimeUs LayerRates::spanUs(TimeUs ageUs) {
  return ageUs < kWindowUs + kSliceUs ? std::clamp(ageUs, kSliceUs / 2, kWindowUs + kSliceUs) : kWindowUs;
}

double LayerRates::framesPerSecond(Layer layer, TimeUs nowUs) const {
  if (layer.spatial >= kMaxLayers || lives_[layer.spatial].beganAtUs == kNever) return 0;
  const TimeUs ageUs = nowUs - lives_[layer.spatial].beganAtUs;
  uint32_t frames = 0;
  for (const Slice& slice : slices_) {
    if (!isRecent(slice, nowUs, ageUs < kWindowUs + kSliceUs)) continue;
    for (uint8_t t = 0; t <= std::min<uint8_t>(layer.temporal, kTemporal - 1); ++t) {
      frames += slice.layers[layer.spatial][t].frames;
    }
  }
  return frames * static_cast<double>(kSecondUs) / static_cast<double>(spanUs(ageUs));
}

// Whole slices of the last second; of a layer that is younger, the one that is being filled as well.
bool LayerRates::isRecent(const Slice& slice, TimeUs nowUs, bool young) const {
  const int64_t now = nowUs / kSliceUs;
  return slice.number >= 0 && slice.number + static_cast<int64_t>(kSlices) > now &&
         (slice.number < now || (young && slice.number == now));
}

uint64_t LayerRates::bitsPerSecond(Layer layer, TimeUs nowUs) const {
  const auto top = std::min<uint8_t>(layer.temporal, kTemporal - 1);
  uint64_t rate = 0;
  bool any = false;
  for (uint8_t s = 0; s <= layer.spatial && s < kMaxLayers; ++s) {
    const Life& life = lives_[s];
    if (life.beganAtUs == kNever) continue;
    const TimeUs ageUs = nowUs - life.beganAtUs;
    const bool young = ageUs < kWindowUs + kSliceUs;
    uint64_t bytes = 0;
    for (const Slice& slice : slices_) {
      if (!isRecent(slice, nowUs, young)) continue;
      for (uint8_t t = 0; t <= top; ++t) {
        const Sum& sum = slice.layers[s][t];
        bytes += sum.shared + (s == layer.spatial ? sum.alone : 0);
        any = any || (s == layer.spatial && sum.shared + sum.alone > 0);
      }
    }
    rate += bytes * 8 * kSecondUs / static_cast<uint64_t>(spanUs(ageUs));
  }
  return any ? rate : 0;
}

bool LayerRates::has(Layer layer, TimeUs nowUs) const {
  if (layer.spatial >= kMaxLayers || layer.temporal >= kTemporal) return false;
  for (const Slice& slice : slices_) {
    const Sum& sum = slice.layers[layer.spatial][layer.temporal];
    if (isRecent(slice, nowUs, true) && sum.shared + sum.alone > 0) return true;
  }
  return false;
}

}  // namespace sluice::forward
