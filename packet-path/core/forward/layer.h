// One quality of a video track: spatial × temporal.
#pragma once

#include <compare>
#include <cstdint>

namespace sluice::forward {

/// Spatial layers are simulcast encodings, or the layers of one scalable stream; both count from the lowest.
struct Layer {
  uint8_t spatial = 0;
  uint8_t temporal = 0;

  /// No higher in either direction.
  [[nodiscard]] constexpr bool within(Layer other) const {
    return spatial <= other.spatial && temporal <= other.temporal;
  }
  friend constexpr auto operator<=>(const Layer&, const Layer&) = default;
};

/// More spatial, or temporal, layers than any codec of ours has (VP9: 3 bits each).
inline constexpr uint8_t kMaxLayers = 8;
/// As good as it gets.
inline constexpr Layer kBestLayer{kMaxLayers - 1, kMaxLayers - 1};

/// What a subscriber should get.
struct LayerTarget {
  Layer layer = kBestLayer;
  /// Capacity is short: while a way down waits for a key frame, frames are left out that can be.
  bool inHaste = false;
  friend bool operator==(const LayerTarget&, const LayerTarget&) = default;
};

}  // namespace sluice::forward
