#include "decode_targets.h"

#include <algorithm>

namespace sluice::forward {

namespace {

// Ids of the targets that no descriptor made. Those of descriptors come after.
constexpr uint32_t kSingle = 0;
constexpr uint32_t kTemporal = 1;
constexpr uint32_t kGrid = 2;

DecodeTargets makeSingle() {
  DecodeTargets t;
  t.id = kSingle;
  t.count = 1;
  t.available = 1;
  t.contained[0] = 1;
  return t;
}

DecodeTargets makeTemporal() {
  DecodeTargets t;
  t.id = kTemporal;
  t.count = kMaxLayers;
  t.available = gridRow(0);
  for (uint8_t i = 0; i < kMaxLayers; ++i) {
    t.layers[i] = {0, i};
    t.contained[i] = gridRow(0) & ~(gridRow(0, i) & ~only(i));
  }
  t.deriveAbove();
  return t;
}

// A frame of a lower spatial layer may be of no use to the higher ones, hence these contain nothing of those below.
DecodeTargets makeGrid() {
  DecodeTargets t;
  t.id = kGrid;
  t.count = kMaxTargets;
  for (uint8_t s = 0; s < kMaxLayers; ++s) {
    for (uint8_t i = 0; i < kMaxLayers; ++i) {
      const TargetIndex index = gridIndex(s, i);
      t.layers[index] = {s, i};
      t.contained[index] = gridRow(s) & ~(gridRow(s, i) & ~only(index));
    }
  }
  t.deriveAbove();
  return t;
}

}  // namespace

TargetIndex DecodeTargets::best(Layer layer) const {
  TargetIndex best = kNoTarget;
  TargetIndex least = kNoTarget;
  for (TargetIndex i = 0; i < count; ++i) {
    if ((available & only(i)) == 0) continue;
    if (least == kNoTarget || layers[i] < layers[least]) least = i;
    if (layers[i].within(layer) && (best == kNoTarget || layers[best] < layers[i])) best = i;
  }
  return best == kNoTarget ? least : best;
}

uint8_t DecodeTargets::spatialLayers() const {
  uint8_t highest = 0;
  for (TargetIndex i = 0; i < count; ++i) {
    if ((available & only(i)) != 0) highest = std::max(highest, layers[i].spatial);
  }
  return static_cast<uint8_t>(highest + 1);
}

const DecodeTargets& DecodeTargets::single() {
  static const DecodeTargets kTargets = makeSingle();
  return kTargets;
}

const DecodeTargets& DecodeTargets::temporal() {
  static const DecodeTargets kTargets = makeTemporal();
  return kTargets;
}

const DecodeTargets& DecodeTargets::grid() {
  static const DecodeTargets kTargets = makeGrid();
  return kTargets;
}

void DecodeTargets::describe(const wire::DependencyStructure& structure, uint32_t newId) {
  *this = {};
  id = newId;
  described = true;
  count = structure.targetCount;
  available = structure.allTargets();
  for (TargetIndex i = 0; i < count; ++i) {
    layers[i] = {structure.targetLayers[i].spatialId, structure.targetLayers[i].temporalId};
    contained[i] = available;
    for (size_t t = 0; t < structure.templateCount; ++t) {
      const Targets present = structure.templates[t].targets.present;
      if ((present & only(i)) == 0) contained[i] &= ~present;
    }
  }
  deriveAbove();
}

void DecodeTargets::deriveAbove() {
  for (uint8_t s = 0; s < kMaxLayers; ++s) {
    above[s] = 0;
    for (TargetIndex i = 0; i < count; ++i) {
      if (layers[i].spatial > s) above[s] |= only(i);
    }
  }
}

}  // namespace sluice::forward
