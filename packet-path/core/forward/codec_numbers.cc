#include "codec_numbers.h"

#include "../wire/vp8_descriptor.h"
#include "../wire/vp9_descriptor.h"
#include "picture_id.h"

namespace sluice::forward {

CodecShift CodecNumbers::enter(Codec codec, Bytes payload, const FrameInfo& first) {
  CodecShift shift;
  shift.newestPicture = first.picture;
  if (first.picture != FrameInfo::kNoPicture) {
    if (numbered_) {
      shift.picture = newest_ + 1 - first.picture;
    } else {
      pictures_ = NumberMap<256>(first.picture);
      newest_ = first.picture - 1;
      numbered_ = true;
    }
  }
  if (entered_) {
    if (codec == Codec::kVp8) {
      if (const auto d = wire::parseVp8Descriptor(payload)) {
        if (d->tl0PicIdx) shift.tl0PicIdx = static_cast<uint8_t>(tl0PicIdx_ + 1 - *d->tl0PicIdx);
        if (d->keyIndex) shift.keyIndex = static_cast<uint8_t>(keyIndex_ + 1 - *d->keyIndex);
      }
    } else if (codec == Codec::kVp9) {
      const auto d = wire::parseVp9Descriptor(payload);
      if (d && d->tl0PicIdx) shift.tl0PicIdx = static_cast<uint8_t>(tl0PicIdx_ + 1 - *d->tl0PicIdx);
    }
  }
  entered_ = true;
  return shift;
}

void CodecNumbers::next(Codec codec, Bytes payload, const FrameInfo& packet, bool forwarded, CodecShift& shift) {
  if (packet.picture != FrameInfo::kNoPicture && numbered_) {
    shift.newestPicture = std::max(shift.newestPicture, packet.picture);
    const int64_t picture = packet.picture + shift.picture;
    if (picture > newest_) {
      const bool drop = codec == Codec::kVp8 && !forwarded;
      anyDropped_ = anyDropped_ || drop;
      pictures_.append(picture, drop);
      newest_ = picture;
    }
    if (picture < newest_) return;
  }
  if (!forwarded || !packet.starts) return;
  if (codec == Codec::kVp8) {
    if (const auto d = wire::parseVp8Descriptor(payload)) {
      if (d->tl0PicIdx) tl0PicIdx_ = static_cast<uint8_t>(*d->tl0PicIdx + shift.tl0PicIdx);
      if (d->keyIndex) keyIndex_ = static_cast<uint8_t>(*d->keyIndex + shift.keyIndex);
    }
  } else if (codec == Codec::kVp9) {
    const auto d = wire::parseVp9Descriptor(payload);
    if (d && d->tl0PicIdx) tl0PicIdx_ = static_cast<uint8_t>(*d->tl0PicIdx + shift.tl0PicIdx);
  }
}

bool CodecNumbers::rewrite(Codec codec, Bytes payload, const CodecShift& shift, PayloadFront& out) const {
  out.cut = 0;
  const bool asItIs = shift.picture == 0 && shift.tl0PicIdx == 0 && shift.keyIndex == 0 && !anyDropped_;
  if (asItIs || payload.empty()) return true;
  if (codec == Codec::kVp8) return rewriteVp8(payload, shift, out);
  if (codec == Codec::kVp9) rewriteVp9(payload, shift, out);
  return true;
}

// Ids are written with 15 bits even where their source has 7: a subscriber's id must not lose its upper bits.
bool CodecNumbers::rewriteVp8(Bytes payload, const CodecShift& shift, PayloadFront& out) const {
  auto d = wire::parseVp8Descriptor(payload);
  if (!d) return true;
  if (d->pictureId) {
    const int64_t picture = extendPicture(*d->pictureId, d->longPictureId, shift.newestPicture) + shift.picture;
    const auto written = pictures_.out(picture);
    if (!written) return false;
    d->pictureId = static_cast<uint16_t>(*written & 0x7FFF);
    d->longPictureId = true;
  }
  if (d->tl0PicIdx) d->tl0PicIdx = static_cast<uint8_t>(*d->tl0PicIdx + shift.tl0PicIdx);
  if (d->keyIndex) d->keyIndex = static_cast<uint8_t>((*d->keyIndex + shift.keyIndex) & 0x1F);
  out.cut = d->size;
  out.size = static_cast<uint8_t>(wire::writeVp8Descriptor(*d, out.bytes));
  return true;
}

void CodecNumbers::rewriteVp9(Bytes payload, const CodecShift& shift, PayloadFront& out) const {
  auto d = wire::parseVp9Descriptor(payload);
  if (!d) return;
  if (d->pictureId) {
    const int64_t picture = extendPicture(*d->pictureId, d->longPictureId, shift.newestPicture) + shift.picture;
    d->pictureId = static_cast<uint16_t>(picture & 0x7FFF);
    d->longPictureId = true;
  }
  if (d->tl0PicIdx) d->tl0PicIdx = static_cast<uint8_t>(*d->tl0PicIdx + shift.tl0PicIdx);
  out.cut = d->prefixSize;
  out.size = static_cast<uint8_t>(wire::writeVp9Prefix(*d, payload[0], out.bytes));
}

}  // namespace sluice::forward
