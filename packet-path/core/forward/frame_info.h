// What a packet says of its frame, in terms that are the same for every codec.
#pragma once

#include <array>

#include "../wire/types.h"
#include "decode_targets.h"

namespace sluice::forward {

/// Read once a packet, used by every subscriber.
struct FrameInfo {
  /// False: it could not be understood (yet); a structure that it needs was lost, or is late.
  bool known = false;
  bool starts = false;   ///< the first packet of its frame
  bool ends = false;     ///< the last one
  bool key = false;      ///< a decoder can start with this packet
  bool padding = false;  ///< no payload, hence of no frame
  Layer layer;
  uint8_t spatialLayers = 0;  ///< how many it says there are; 0: nothing

  const DecodeTargets* targets = nullptr;  ///< set when known
  Targets present = 0;                     ///< that its frame belongs to
  Targets switches = 0;                    ///< that are decodable from here on, if this frame is
  Targets needs = 0;                       ///< for that, these must have been forwarded whole
  Targets discardable = 0;                 ///< in which nothing depends on this frame
  Targets essential = 0;  ///< in which a receiver notices at once if this frame is lost: part of the chain

  /// Grows from frame to frame of a stream. Neighbours differ by one where the codec numbers its frames; where it does
  /// not, no two ever do.
  int64_t frame = 0;
  /// The picture id of VP8 and VP9, extended; kNoPicture without one.
  int64_t picture = kNoPicture;
  static constexpr int64_t kNoPicture = INT64_MIN;

  /// The frames that it depends on, as differences of `frame`. Told by dependency descriptors alone.
  uint8_t references = 0;
  std::array<uint16_t, wire::FrameDependencies::kMaxReferences> diffs{};

  [[nodiscard]] std::span<const uint16_t> referenced() const { return std::span(diffs).first(references); }
};

}  // namespace sluice::forward
