// The VP8 payload descriptor (RFC 7741 §4.2): bytes ⇄ fields.
#pragma once

#include <optional>

#include "types.h"

namespace sluice::wire {

struct Vp8Descriptor {
  bool nonReference = false;     ///< N: no other frame is predicted from this one
  bool startsPartition = false;  ///< S
  uint8_t partition = 0;         ///< PID
  std::optional<uint16_t> pictureId;
  bool longPictureId = false;  ///< 15 bits, else 7
  std::optional<uint8_t> tl0PicIdx;
  std::optional<uint8_t> temporalLayer;  ///< TID
  bool layerSync = false;                ///< Y: predicted from the base layer alone. With a TID only
  std::optional<uint8_t> keyIndex;       ///< KEYIDX, 5 bits
  uint8_t size = 0;                      ///< of the descriptor

  [[nodiscard]] bool startsFrame() const { return startsPartition && partition == 0; }
};

/// More than any descriptor takes.
inline constexpr size_t kMaxVp8DescriptorBytes = 6;

/// Reads the descriptor at the front of a payload. Empty when it does not fit.
[[nodiscard]] std::optional<Vp8Descriptor> parseVp8Descriptor(Bytes payload);

/// Writes a descriptor; `size` is not looked at. `out` has room for kMaxVp8DescriptorBytes. Returns the bytes written.
size_t writeVp8Descriptor(const Vp8Descriptor& descriptor, MutableBytes out);

/// Whether the frame whose first packet's payload, behind the descriptor, begins like this is a key frame
/// (RFC 7741 §4.3: the inverse key frame flag).
[[nodiscard]] constexpr bool isVp8KeyFrame(Bytes behindDescriptor) {
  return !behindDescriptor.empty() && (behindDescriptor[0] & 0x01) == 0;
}

}  // namespace sluice::wire
