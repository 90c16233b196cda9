#include "vp8_descriptor.h"

namespace sluice::wire {

namespace {

// First octet
constexpr uint8_t kExtended = 0x80;
constexpr uint8_t kNonReference = 0x20;
constexpr uint8_t kStart = 0x10;
constexpr uint8_t kPartition = 0x07;
// Extension octet
constexpr uint8_t kHasPictureId = 0x80;
constexpr uint8_t kHasTl0PicIdx = 0x40;
constexpr uint8_t kHasTemporalLayer = 0x20;
constexpr uint8_t kHasKeyIndex = 0x10;
// Picture id and layer octets
constexpr uint8_t kLongPictureId = 0x80;
constexpr uint8_t kLayerSync = 0x20;
constexpr uint8_t kKeyIndex = 0x1F;

}  // namespace

std::optional<Vp8Descriptor> parseVp8Descriptor(Bytes p) {
  if (p.empty()) return {};
  Vp8Descriptor d;
  d.nonReference = (p[0] & kNonReference) != 0;
  d.startsPartition = (p[0] & kStart) != 0;
  d.partition = p[0] & kPartition;
  size_t at = 1;
  if ((p[0] & kExtended) != 0) {
    if (p.size() < 2) return {};
    const uint8_t has = p[1];
    at = 2;
    if ((has & kHasPictureId) != 0) {
      if (p.size() <= at) return {};
      d.longPictureId = (p[at] & kLongPictureId) != 0;
      if (p.size() < at + (d.longPictureId ? 2 : 1)) return {};
      d.pictureId = d.longPictureId ? static_cast<uint16_t>(readU16(&p[at]) & 0x7FFF) : p[at];
      at += d.longPictureId ? 2 : 1;
    }
    if ((has & kHasTl0PicIdx) != 0) {
      if (p.size() <= at) return {};
      d.tl0PicIdx = p[at++];
    }
    if ((has & (kHasTemporalLayer | kHasKeyIndex)) != 0) {
      if (p.size() <= at) return {};
      if ((has & kHasTemporalLayer) != 0) {
        d.temporalLayer = static_cast<uint8_t>(p[at] >> 6);
        d.layerSync = (p[at] & kLayerSync) != 0;
      }
      if ((has & kHasKeyIndex) != 0) d.keyIndex = static_cast<uint8_t>(p[at] & kKeyIndex);
      ++at;
    }
  }
  if (p.size() < at) return {};
  d.size = static_cast<uint8_t>(at);
  return d;
}

size_t writeVp8Descriptor(const Vp8Descriptor& d, MutableBytes out) {
  uint8_t has = 0;
  if (d.pictureId) has |= kHasPictureId;
  if (d.tl0PicIdx) has |= kHasTl0PicIdx;
  if (d.temporalLayer) has |= kHasTemporalLayer;
  if (d.keyIndex) has |= kHasKeyIndex;
  out[0] = static_cast<uint8_t>((has != 0 ? kExtended : 0) | (d.nonReference ? kNonReference : 0) |
                                (d.startsPartition ? kStart : 0) | (d.partition & kPartition));
  if (has == 0) return 1;
  out[1] = has;
  size_t at = 2;
  if (d.pictureId) {
    if (d.longPictureId) {
      writeU16(&out[at], static_cast<uint16_t>(0x8000 | *d.pictureId));
      at += 2;
    } else {
      out[at++] = static_cast<uint8_t>(*d.pictureId & 0x7F);
    }
  }
  if (d.tl0PicIdx) out[at++] = *d.tl0PicIdx;
  if (d.temporalLayer || d.keyIndex) {
    out[at++] = static_cast<uint8_t>((d.temporalLayer.value_or(0) << 6) | (d.layerSync ? kLayerSync : 0) |
                                     (d.keyIndex.value_or(0) & kKeyIndex));
  }
  return at;
}

}  // namespace sluice::wire
