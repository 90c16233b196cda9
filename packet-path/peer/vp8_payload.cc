#include "vp8_payload.h"

#include <algorithm>
#include <array>

namespace sluice::peer {

namespace {

// RFC 7741 §4.2
constexpr uint8_t kExtended = 0x80;
constexpr uint8_t kNonReference = 0x20;
constexpr uint8_t kStartOfPartition = 0x10;
constexpr uint8_t kHasPictureId = 0x80;
constexpr uint8_t kHasTl0PictureIndex = 0x40;
constexpr uint8_t kHasTemporalLayer = 0x20;
constexpr uint8_t kLongPictureId = 0x80;

}  // namespace

size_t writeVp8Front(const Vp8Frame& frame, bool first, MutableBytes out) {
  uint8_t* p = out.data();
  *p++ = static_cast<uint8_t>(kExtended | (frame.droppable ? kNonReference : 0) | (first ? kStartOfPartition : 0));
  *p++ = static_cast<uint8_t>(kHasPictureId | (frame.layered ? kHasTl0PictureIndex | kHasTemporalLayer : 0));
  *p++ = static_cast<uint8_t>(kLongPictureId | (frame.pictureId >> 8 & 0x7F));
  *p++ = static_cast<uint8_t>(frame.pictureId);
  if (frame.layered) {
    *p++ = frame.tl0PictureIndex;
    *p++ = static_cast<uint8_t>(frame.temporalLayer << 6 | (frame.layerSync ? 0x20 : 0));
  }
  if (first) {
    // RFC 6386 §9.1: inverse key frame flag, version 0, shown; the first partition's size is of no interest.
    *p++ = static_cast<uint8_t>((frame.keyFrame ? 0 : 1) | 0x10);
    *p++ = 0;
    *p++ = 0;
    if (frame.keyFrame) {
      constexpr std::array<uint8_t, 3> kStartCode{0x9D, 0x01, 0x2A};
      p = std::copy(kStartCode.begin(), kStartCode.end(), p);
      *p++ = static_cast<uint8_t>(frame.width);
      *p++ = static_cast<uint8_t>(frame.width >> 8 & 0x3F);
      *p++ = static_cast<uint8_t>(frame.height);
      *p++ = static_cast<uint8_t>(frame.height >> 8 & 0x3F);
    }
  }
  return static_cast<size_t>(p - out.data());
}

}  // namespace sluice::peer
