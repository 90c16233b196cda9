// What a track offers: its encodings and layers, which of them are alive, and what each costs.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "../packet/packet.h"
#include "../spec.h"
#include "frame_info.h"
#include "frame_reader.h"
#include "layer_rates.h"

namespace sluice::forward {

/// Reads every packet of a track once, in order of arrival. A spatial layer dies when others go on without it: that
/// works for thirty frames a second and for a still slide, where a fixed silence would be wrong for one of them.
class Layers {
 public:
  static constexpr size_t kMaxEncodings = 16;
  /// New frames of another layer, since this one's last packet, that prove it has stopped. 200 ms of video.
  static constexpr uint32_t kFramesBehind = 6;
  /// And at least this long: a burst of another encoding proves nothing.
  static constexpr TimeUs kMinSilenceUs = 250 * kMillisecondUs;

  /// A packet came. True when what is alive has changed.
  bool note(const Packet& packet, Codec codec, FrameInfo& out);
  /// A packet that was noted before, once more.
  void describe(const Packet& packet, Codec codec, FrameInfo& out) const;

  /// Spatial layers are encodings; otherwise they are in one stream.
  [[nodiscard]] bool simulcast() const { return highestEncoding_ > 0; }
  /// The highest spatial layer alive that is no higher than `wanted`; when there is none, the lowest alive.
  [[nodiscard]] uint8_t pick(uint8_t wanted) const;
  [[nodiscard]] bool alive(uint8_t spatial) const { return spatial < kMaxLayers && layers_[spatial].alive; }
  /// Highest temporal layer seen in a spatial layer.
  [[nodiscard]] uint8_t temporal(uint8_t spatial) const {
    return spatial < kMaxLayers ? layers_[spatial].temporal : uint8_t{0};
  }

  /// Frames a second that whoever gets this layer sees; 0 while unknown.
  [[nodiscard]] double framesPerSecond(Layer layer, TimeUs nowUs) const { return rates_.framesPerSecond(layer, nowUs); }

  struct Offer {
    Layer layer;
    uint64_t bitsPerSecond = 0;
  };
  /// What can be had now, from the cheapest on. Each costs more than the one before and is better: spatially, or
  /// temporally at the same size. Returns how many were written.
  size_t offers(TimeUs nowUs, std::span<Offer> out) const;

 private:
  struct Spatial {
    bool alive = false;
    bool silent = false;  ///< it was alive, and died
    uint8_t temporal = 0;
    uint32_t timestamp = 0;
    TimeUs lastPacketAtUs = 0;
    uint32_t framesOfOthers = 0;  ///< since its last packet
  };

  [[nodiscard]] bool noteLife(uint8_t spatial, const Packet& packet);

  std::vector<FrameReader> readers_;  // by encoding
  std::array<Spatial, kMaxLayers> layers_{};
  LayerRates rates_;
  uint8_t highestEncoding_ = 0;
  uint8_t highest_ = 0;  // spatial layer seen
};

}  // namespace sluice::forward
