// What a subscriber can be given of one encoding, told as decode targets: sets of frames, each decodable by itself
// (AV1 RTP specification, appendix A.1). The dependency descriptor names them; other codecs have one for each layer.
#pragma once

#include <array>

#include "../wire/dependency_descriptor.h"
#include "layer.h"

namespace sluice::forward {

/// A set of decode targets.
using Targets = uint64_t;
using TargetIndex = uint8_t;
inline constexpr size_t kMaxTargets = 64;
inline constexpr TargetIndex kNoTarget = 0xFF;

[[nodiscard]] constexpr Targets only(TargetIndex target) {
  return target == kNoTarget ? 0 : Targets{1} << target;
}

/// The decode targets of a coded video sequence.
struct DecodeTargets {
  /// Tells sequences of one encoding apart, when their targets differ.
  uint32_t id = 0;
  uint8_t count = 0;
  std::array<Layer, kMaxTargets> layers{};
  /// By target: those of which every frame belongs to it as well. Who gets the one can go on with the other at once.
  std::array<Targets, kMaxTargets> contained{};
  /// By spatial layer: the targets of higher ones.
  std::array<Targets, kMaxLayers> above{};
  /// Those that the sender makes now.
  Targets available = ~Targets{0};
  /// Made from a dependency descriptor: target n here is its decode target n.
  bool described = false;

  /// The best that is no better than `layer`; when there is none, the least of all.
  [[nodiscard]] TargetIndex best(Layer layer) const;

  /// How many spatial layers the available ones have.
  [[nodiscard]] uint8_t spatialLayers() const;

  /// One target: a codec without layers that we could tell apart.
  [[nodiscard]] static const DecodeTargets& single();
  /// One for each temporal layer: target n has temporal layers 0 … n.
  [[nodiscard]] static const DecodeTargets& temporal();
  /// One for each pair: target 8s + t.
  [[nodiscard]] static const DecodeTargets& grid();
  /// As a structure describes them.
  void describe(const wire::DependencyStructure& structure, uint32_t newId);
  /// Fills `above` from `layers`.
  void deriveAbove();
};

/// The index of a layer in DecodeTargets::grid().
[[nodiscard]] constexpr TargetIndex gridIndex(uint8_t spatial, uint8_t temporal) {
  return static_cast<TargetIndex>(spatial * kMaxLayers + temporal);
}
/// Temporal layers from `temporal` on, of spatial layer `spatial` in the grid.
[[nodiscard]] constexpr Targets gridRow(uint8_t spatial, uint8_t temporal = 0) {
  return (Targets{0xFF} >> temporal << temporal) << (spatial * kMaxLayers);
}

}  // namespace sluice::forward
