#include "vp9_descriptor.h"

#include <algorithm>

namespace sluice::wire {

namespace {

// First octet
constexpr uint8_t kHasPictureId = 0x80;
constexpr uint8_t kInterPicture = 0x40;
constexpr uint8_t kHasLayers = 0x20;
constexpr uint8_t kFlexible = 0x10;
constexpr uint8_t kStart = 0x08;
constexpr uint8_t kEnd = 0x04;
constexpr uint8_t kHasStructure = 0x02;
constexpr uint8_t kNotReferredUpward = 0x01;
// Picture id and layer octets
constexpr uint8_t kLongPictureId = 0x80;
constexpr uint8_t kSwitchingUp = 0x10;
constexpr uint8_t kInterLayer = 0x01;

// Reads octets one after the other; past the end `ok` is false and everything zero.
struct Octets {
  Bytes bytes;
  size_t at = 0;
  bool ok = true;

  uint8_t next() {
    if (at >= bytes.size()) {
      ok = false;
      return 0;
    }
    return bytes[at++];
  }
  uint16_t next16() {
    const uint8_t high = next();
    return static_cast<uint16_t>((high << 8) | next());
  }
};

Vp9ScalabilityStructure readStructure(Octets& in) {
  Vp9ScalabilityStructure s;
  const uint8_t first = in.next();
  s.spatialLayers = static_cast<uint8_t>((first >> 5) + 1);
  s.hasResolutions = (first & 0x10) != 0;
  if (s.hasResolutions) {
    for (size_t i = 0; i < s.spatialLayers; ++i) {
      s.widths[i] = in.next16();
      s.heights[i] = in.next16();
    }
  }
  if ((first & 0x08) != 0) {  // G
    s.pictures = in.next();
    for (size_t i = 0; in.ok && i < s.pictures; ++i) {
      const uint8_t picture = in.next();
      s.temporalLayers = std::max(s.temporalLayers, static_cast<uint8_t>((picture >> 5) + 1));
      for (int references = (picture >> 2) & 0x03; references > 0; --references) (void)in.next();
    }
  }
  return s;
}

}  // namespace

std::optional<Vp9Descriptor> parseVp9Descriptor(Bytes payload) {
  Octets in{payload};
  const uint8_t first = in.next();
  Vp9Descriptor d;
  d.interPicture = (first & kInterPicture) != 0;
  d.hasLayers = (first & kHasLayers) != 0;
  d.flexible = (first & kFlexible) != 0;
  d.startsFrame = (first & kStart) != 0;
  d.endsFrame = (first & kEnd) != 0;
  d.notReferredUpward = (first & kNotReferredUpward) != 0;
  if ((first & kHasPictureId) != 0) {
    const uint8_t high = in.next();
    d.longPictureId = (high & kLongPictureId) != 0;
    d.pictureId = d.longPictureId ? static_cast<uint16_t>(((high & 0x7F) << 8) | in.next()) : high;
  }
  if (d.hasLayers) {
    const uint8_t layers = in.next();
    d.temporalLayer = layers >> 5;
    d.switchingUp = (layers & kSwitchingUp) != 0;
    d.spatialLayer = (layers >> 1) & 0x07;
    d.interLayer = (layers & kInterLayer) != 0;
    if (!d.flexible) d.tl0PicIdx = in.next();
  }
  d.prefixSize = static_cast<uint8_t>(in.at);
  if (d.interPicture && d.flexible) {
    bool more = true;
    while (more) {
      if (d.references == d.referenceDiffs.size()) return {};  // RFC 9628 §4.2: at most three
      const uint8_t reference = in.next();
      d.referenceDiffs[d.references++] = reference >> 1;
      more = (reference & 0x01) != 0;
    }
  }
  if ((first & kHasStructure) != 0) d.structure = readStructure(in);
  if (!in.ok) return {};
  d.size = static_cast<uint16_t>(in.at);
  return d;
}

size_t writeVp9Prefix(const Vp9Descriptor& d, uint8_t first, MutableBytes out) {
  size_t at = 0;
  out[at++] = static_cast<uint8_t>(d.pictureId ? first | kHasPictureId : first & ~kHasPictureId);
  if (d.pictureId) {
    if (d.longPictureId) {
      writeU16(&out[at], static_cast<uint16_t>(0x8000 | *d.pictureId));
      at += 2;
    } else {
      out[at++] = static_cast<uint8_t>(*d.pictureId & 0x7F);
    }
  }
  if (d.hasLayers) {
    out[at++] = static_cast<uint8_t>((d.temporalLayer << 5) | (d.switchingUp ? kSwitchingUp : 0) |
                                     (d.spatialLayer << 1) | (d.interLayer ? kInterLayer : 0));
    if (d.tl0PicIdx) out[at++] = *d.tl0PicIdx;
  }
  return at;
}

}  // namespace sluice::wire
