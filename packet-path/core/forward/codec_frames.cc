#include "codec_frames.h"

#include <algorithm>

#include "../wire/vp8_descriptor.h"
#include "../wire/vp9_descriptor.h"
#include "picture_id.h"

namespace sluice::forward {

Bytes frameMarking(const Packet& packet) {
  for (size_t i = 0; i < packet.extensionCount; ++i) {
    if (packet.extensions[i].kind == wire::ExtensionKind::kFrameMarking) return packet.extension(packet.extensions[i]);
  }
  return {};
}

namespace {

void readSingle(const FrameStart& start, FrameInfo& out) {
  out.known = true;
  out.starts = start.byTime;
  out.targets = &DecodeTargets::single();
  out.present = out.essential = 1;
  if (out.key) out.switches = 1;
}

// A frame of temporal layer `t`. `sync`: it depends on the base layer alone, so that its own layer can be entered by
// whoever has the one below. `syncAbove`: and so can all layers above.
void readTemporal(uint8_t t, bool sync, bool syncAbove, FrameInfo& out) {
  out.known = true;
  out.layer = {0, t};
  out.targets = &DecodeTargets::temporal();
  out.present = gridRow(0, t);
  if (t == 0) out.essential = out.present;
  if (out.key) {
    out.switches = out.present;
  } else if (t > 0 && (sync || syncAbove)) {
    out.switches = syncAbove ? out.present : only(t);
    out.needs = only(static_cast<TargetIndex>(t - 1));
  }
}

// RFC 7741 §4.2
void readVp8(const Packet& packet, const FrameStart& start, FrameInfo& out) {
  const auto d = wire::parseVp8Descriptor(packet.payload());
  if (!d) return;
  readTemporal(d->temporalLayer.value_or(0), d->layerSync, false, out);
  out.starts = d->startsFrame();
  if (d->nonReference) out.discardable = out.present;
  if (d->pictureId) {
    out.picture = extendPicture(*d->pictureId, d->longPictureId, start.newestPicture);
    out.frame = out.picture;
  }
}

// RFC 9628 §4.2. What a frame of spatial layer s depends on: with P, on pictures before; with D, on layer s − 1 of its
// picture. P is unset in key pictures, and where a layer begins anew on top of the one below it.
void readVp9(const Packet& packet, const FrameStart& start, FrameInfo& out) {
  const auto d = wire::parseVp9Descriptor(packet.payload());
  if (!d) return;
  const uint8_t s = d->spatialLayer;
  const uint8_t t = d->temporalLayer;
  out.known = true;
  out.starts = d->startsFrame;
  out.ends = d->endsFrame;
  if (d->pictureId) {
    out.picture = extendPicture(*d->pictureId, d->longPictureId, start.newestPicture);
    out.frame = out.picture * kMaxLayers + s;
  }
  out.layer = {s, t};
  out.targets = &DecodeTargets::grid();
  if (d->structure) out.spatialLayers = d->structure->spatialLayers;
  // With Z no higher spatial layer has any use for it: in key-frame-only prediction that is every frame but those of
  // key pictures.
  const uint8_t top = d->hasLayers && d->notReferredUpward ? s : kMaxLayers - 1;
  for (uint8_t i = s; i <= top; ++i) out.present |= gridRow(i, t);
  if (t == 0) out.essential = out.present;
  if (out.key) {
    out.switches = out.present;
  } else if (!d->interPicture) {
    out.switches = gridRow(s);
    if (d->interLayer && s > 0) out.needs = only(gridIndex(static_cast<uint8_t>(s - 1), 0));
  } else if (d->switchingUp) {
    out.switches = gridRow(s, t);
    out.needs = only(gridIndex(s, t));
  }
}

// RFC 7798 §1.1.4: the temporal id is in every NAL unit's header, and in that of a packet that holds several or a part
// of one.
constexpr uint8_t kH265TsaN = 2;
constexpr uint8_t kH265StsaR = 5;
constexpr uint8_t kH265Fragmentation = 49;

void readH265(const Packet& packet, const FrameStart& start, FrameInfo& out) {
  const Bytes p = packet.payload();
  if (p.size() < 3) return;
  const auto t = static_cast<uint8_t>(std::max(p[1] & 0x07, 1) - 1);  // 0 is forbidden
  uint8_t type = (p[0] >> 1) & 0x3F;
  if (type == kH265Fragmentation) type = p[2] & 0x3F;
  // H.265 §7.4.2.2: from a TSA picture on no picture of its or a higher layer depends on one before it; from an STSA
  // picture on none of its own layer does.
  const bool switching = type >= kH265TsaN && type <= kH265StsaR;
  const bool above = switching && type < kH265StsaR - 1;
  readTemporal(t, switching, above, out);
  out.starts = start.byTime;
}

// An H.264 payload says nothing of layers, but its sender may: RFC 9626 §3, S E I D B TID in the long form of frame
// marking, without the last two in the short one.
void readH264(const Packet& packet, const FrameStart& start, FrameInfo& out) {
  if (!start.marked) return readSingle(start, out);
  const Bytes marking = frameMarking(packet);
  const uint8_t m = marking.empty() ? uint8_t{0} : marking[0];
  readTemporal(marking.size() >= 2 ? m & 0x07 : 0, (m & 0x08) != 0, false, out);
  out.starts = marking.empty() ? start.byTime : (m & 0x80) != 0;
  if (!marking.empty()) out.ends = (m & 0x40) != 0;
  if ((m & 0x10) != 0) out.discardable = out.present;
}

}  // namespace

void readCodecFrame(Codec codec, const Packet& packet, const FrameStart& start, FrameInfo& out) {
  switch (codec) {
    case Codec::kVp8:
      return readVp8(packet, start, out);
    case Codec::kVp9:
      return readVp9(packet, start, out);
    case Codec::kH264:
      return readH264(packet, start, out);
    case Codec::kH265:
      return readH265(packet, start, out);
    case Codec::kAv1:
    case Codec::kOther:
    case Codec::kOpus:
    case Codec::kRed:
    case Codec::kPcmu:
    case Codec::kPcma:
      return readSingle(start, out);
  }
}

}  // namespace sluice::forward
