// The front of a VP8 RTP payload, as an encoder and its packetizer write it (RFC 7741).
#pragma once

#include "../core/wire/types.h"

namespace sluice::peer {

struct Vp8Frame {
  bool keyFrame = false;
  bool layered = false;  ///< temporal layers are told
  /// No later frame is predicted from this one.
  bool droppable = false;
  uint8_t temporalLayer = 0;
  /// Predicted from the base layer alone.
  bool layerSync = false;
  uint8_t tl0PictureIndex = 0;
  uint16_t pictureId = 0;  ///< 15 bits
  uint16_t width = 0;
  uint16_t height = 0;
};

/// Largest descriptor and frame header.
inline constexpr size_t kVp8FrontBytes = 16;

/// Writes the descriptor (RFC 7741 §4.2) and, in a frame's first packet, the frame header (RFC 6386 §9.1).
/// Returns its size.
size_t writeVp8Front(const Vp8Frame& frame, bool first, MutableBytes out);

}  // namespace sluice::peer
