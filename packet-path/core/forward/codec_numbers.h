// The numbers inside payload descriptors that count pictures: made continuous where sources change and, for VP8, where
// pictures are left out.
#pragma once

#include <array>

#include "../spec.h"
#include "../wire/types.h"
#include "frame_info.h"
#include "number_map.h"

namespace sluice::forward {

/// The front of a payload, written anew. What follows the first `cut` octets stays.
struct PayloadFront {
  uint8_t cut = 0;  ///< 0: the payload stays as it is
  uint8_t size = 0;
  std::array<uint8_t, 8> bytes{};

  [[nodiscard]] Bytes written() const { return Bytes(bytes).first(size); }
};

/// How a source's numbers become the subscriber's. Told again for packets that are resent.
struct CodecShift {
  int64_t picture = 0;  ///< picture ids, extended
  /// The newest picture of the source, by which its ids are extended.
  int64_t newestPicture = FrameInfo::kNoPicture;
  uint8_t tl0PicIdx = 0;
  uint8_t keyIndex = 0;
};

/// One subscriber's numbers. VP8's pictures must be numbered without gaps: a receiver takes a gap for a picture that is
/// still to come, and libwebrtc's holds back all that could refer to it (rtp_vp8_ref_finder.cc). VP9's must keep their
/// distances, because references are told by them (RFC 9628 §4.2: P_DIFF, and the picture group).
class CodecNumbers {
 public:
  /// A source begins with this packet, the first of a key frame. The first source keeps its own numbers.
  [[nodiscard]] CodecShift enter(Codec codec, Bytes payload, const FrameInfo& first);
  /// A packet of the source comes. `forwarded`: it goes out. For one that is behind others nothing changes.
  void next(Codec codec, Bytes payload, const FrameInfo& packet, bool forwarded, CodecShift& shift);
  /// The front of a packet's payload, as the subscriber gets it. False when its picture was left out, or is too old to
  /// be told.
  [[nodiscard]] bool rewrite(Codec codec, Bytes payload, const CodecShift& shift, PayloadFront& out) const;

 private:
  [[nodiscard]] bool rewriteVp8(Bytes payload, const CodecShift& shift, PayloadFront& out) const;
  void rewriteVp9(Bytes payload, const CodecShift& shift, PayloadFront& out) const;

  /// Four seconds of 60 frames.
  NumberMap<256> pictures_{0};
  bool entered_ = false;
  bool numbered_ = false;  // pictures_ holds some
  int64_t newest_ = 0;     // picture of the subscriber's, before what was left out is taken out
  uint8_t tl0PicIdx_ = 0;  // the newest of the subscriber's
  uint8_t keyIndex_ = 0;
  // What was dropped once must be taken out of every number after it.
  bool anyDropped_ = false;
};

}  // namespace sluice::forward
