#include "key_frame.h"

namespace sluice::receive {

namespace {

// RFC 7741 §4.2, §4.3: the first packet of partition 0, and the inverse key frame flag of the payload header.
bool startsVp8(Bytes p) {
  if (p.empty()) return false;
  const bool start = (p[0] & 0x10) != 0 && (p[0] & 0x07) == 0;
  if (!start) return false;
  size_t at = 1;
  if ((p[0] & 0x80) != 0) {  // X
    if (p.size() < 2) return false;
    const uint8_t extension = p[1];
    at = 2;
    if ((extension & 0x80) != 0) {  // I
      if (p.size() <= at) return false;
      at += (p[at] & 0x80) != 0 ? 2 : 1;  // M: 15 bits of picture id
    }
    if ((extension & 0x40) != 0) ++at;                             // L
    if ((extension & 0x20) != 0 || (extension & 0x10) != 0) ++at;  // T, K
  }
  return p.size() > at && (p[at] & 0x01) == 0;
}

// RFC 9628 §4.2: not predicted from another picture, beginning of a frame, lowest spatial layer.
bool startsVp9(Bytes p) {
  if (p.empty()) return false;
  const uint8_t first = p[0];
  const bool predicted = (first & 0x40) != 0;
  const bool begins = (first & 0x08) != 0;
  if (predicted || !begins) return false;
  if ((first & 0x20) == 0) return true;  // no layer indices
  size_t at = 1;
  if ((first & 0x80) != 0) {  // I
    if (p.size() <= at) return false;
    at += (p[at] & 0x80) != 0 ? 2 : 1;
  }
  return p.size() > at && (p[at] & 0x0E) == 0;  // SID
}

constexpr uint8_t kH264Idr = 5;
constexpr uint8_t kH264Sps = 7;
constexpr uint8_t kH264StapA = 24;
constexpr uint8_t kH264FuA = 28;

// A slice header begins with first_mb_in_slice in Exp-Golomb code: a set bit is zero, the first slice of the picture.
bool firstSlice(Bytes slice) {
  return !slice.empty() && (slice[0] & 0x80) != 0;
}

// RFC 6184 §5.6–5.8. A sequence parameter set begins a key frame: encoders for WebRTC repeat it with each. Where they
// do not, the first slice of an IDR picture does.
bool startsH264(Bytes p) {
  if (p.size() < 2) return false;
  switch (p[0] & 0x1F) {
    case kH264Sps:
      return true;
    case kH264Idr:
      return firstSlice(p.subspan(1));
    case kH264FuA:
      return (p[1] & 0x80) != 0 && (p[1] & 0x1F) == kH264Idr && firstSlice(p.subspan(2));
    case kH264StapA:
      for (Bytes rest = p.subspan(1); rest.size() > 2;) {
        const size_t size = readU16(rest.data());
        if (size == 0 || rest.size() < 2 + size) return false;
        const uint8_t type = rest[2] & 0x1F;
        if (type == kH264Sps || (type == kH264Idr && firstSlice(rest.subspan(3, size - 1)))) return true;
        rest = rest.subspan(2 + size);
      }
      return false;
    default:
      return false;
  }
}

constexpr uint8_t kH265FirstIrap = 16;  // BLA_W_LP
constexpr uint8_t kH265LastIrap = 21;   // CRA_NUT
constexpr uint8_t kH265Vps = 32;
constexpr uint8_t kH265Sps = 33;
constexpr uint8_t kH265Aggregation = 48;
constexpr uint8_t kH265Fragmentation = 49;

// `unit` is a NAL unit's type and what follows its two-byte header.
bool startsH265Unit(uint8_t type, Bytes unit) {
  if (type == kH265Vps || type == kH265Sps) return true;
  // first_slice_segment_in_pic_flag is the first bit of a slice header (H.265 §7.3.6.1).
  return type >= kH265FirstIrap && type <= kH265LastIrap && firstSlice(unit);
}

// RFC 7798 §4.4
bool startsH265(Bytes p) {
  if (p.size() < 3) return false;
  const uint8_t type = (p[0] >> 1) & 0x3F;
  if (type == kH265Fragmentation) {
    return (p[2] & 0x80) != 0 && startsH265Unit(p[2] & 0x3F, p.subspan(3));
  }
  if (type != kH265Aggregation) return startsH265Unit(type, p.subspan(2));
  for (Bytes rest = p.subspan(2); rest.size() > 4;) {
    const size_t size = readU16(rest.data());
    if (size < 2 || rest.size() < 2 + size) return false;
    if (startsH265Unit((rest[2] >> 1) & 0x3F, rest.subspan(4, size - 2))) return true;
    rest = rest.subspan(2 + size);
  }
  return false;
}

// AV1 RTP specification §4.4: N marks the first packet of a coded video sequence, which Z then cannot continue.
bool startsAv1(Bytes p) {
  return !p.empty() && (p[0] & 0x08) != 0 && (p[0] & 0x80) == 0;
}

}  // namespace

bool startsKeyFrame(Codec codec, Bytes payload) {
  switch (codec) {
    case Codec::kVp8:
      return startsVp8(payload);
    case Codec::kVp9:
      return startsVp9(payload);
    case Codec::kH264:
      return startsH264(payload);
    case Codec::kH265:
      return startsH265(payload);
    case Codec::kAv1:
      return startsAv1(payload);
    case Codec::kOther:
    case Codec::kOpus:
    case Codec::kRed:
    case Codec::kPcmu:
    case Codec::kPcma:
      return false;
  }
  return false;
}

}  // namespace sluice::receive
