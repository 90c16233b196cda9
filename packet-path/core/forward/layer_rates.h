// What each layer of a track costs, measured.
#pragma once

#include <array>

#include "../wire/types.h"
#include "layer.h"

namespace sluice::forward {

/// Bytes by layer, over the last second.
class LayerRates {
 public:
  /// Temporal layers beyond are counted with the last: no encoder of ours makes more.
  static constexpr uint8_t kTemporal = 4;

  /// `forLayerAlone`: no higher spatial layer has any use for these bytes.
  void note(Layer layer, bool forLayerAlone, size_t bytes, TimeUs nowUs);
  /// A frame of the layer began.
  void noteFrame(Layer layer, TimeUs nowUs);
  /// Frames a second of spatial layer `layer.spatial`, up to its temporal layer; 0 when none came.
  [[nodiscard]] double framesPerSecond(Layer layer, TimeUs nowUs) const;
  /// What it takes to forward `layer`, with all that it stands on, in bits a second; 0 when nothing of it came.
  [[nodiscard]] uint64_t bitsPerSecond(Layer layer, TimeUs nowUs) const;
  /// Whether frames of exactly this layer came.
  [[nodiscard]] bool has(Layer layer, TimeUs nowUs) const;

 private:
  /// A second in quarters, and the one that is being filled: what a layer costs is known soon after it began.
  static constexpr TimeUs kSliceUs = 250 * kMillisecondUs;
  static constexpr size_t kSlices = 5;
  static constexpr TimeUs kWindowUs = (static_cast<TimeUs>(kSlices) - 1) * kSliceUs;
  /// After this silence a layer is measured as if it were new.
  static constexpr TimeUs kSilenceUs = 2 * kSecondUs;
  struct Sum {
    uint32_t shared = 0;
    uint32_t alone = 0;
    uint32_t frames = 0;
  };
  struct Slice {
    int64_t number = -1;
    std::array<std::array<Sum, kTemporal>, kMaxLayers> layers{};
  };
  struct Life {
    TimeUs beganAtUs = kNever;
    TimeUs lastAtUs = kNever;
  };
  /// What is being counted of a layer; null when time went back.
  [[nodiscard]] Sum* counted(Layer layer, TimeUs nowUs);
  [[nodiscard]] static TimeUs spanUs(TimeUs ageUs);
  [[nodiscard]] bool isRecent(const Slice& slice, TimeUs nowUs, bool young) const;

  std::array<Slice, kSlices> slices_{};
  std::array<Life, kMaxLayers> lives_{};
};

}  // namespace sluice::forward
