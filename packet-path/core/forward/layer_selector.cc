#include "layer_selector.h"

#include <algorithm>

namespace sluice::forward {

namespace {

const SenderClock* clockOf(std::span<const SenderClock> clocks, uint8_t encoding, Ssrc ssrc) {
  if (encoding >= clocks.size()) return nullptr;
  const SenderClock& clock = clocks[encoding];
  return clock.isSet() && clock.ssrc == ssrc ? &clock : nullptr;
}

bool isVideo(Codec codec) {
  switch (codec) {
    case Codec::kVp8:
    case Codec::kVp9:
    case Codec::kH264:
    case Codec::kH265:
    case Codec::kAv1:
      return true;
    case Codec::kOther:
    case Codec::kOpus:
    case Codec::kRed:
    case Codec::kPcmu:
    case Codec::kPcma:
      break;
  }
  return false;
}

}  // namespace

void LayerSelector::setPaused(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  leaveSource();
}

void LayerSelector::leaveSource() {
  flowing_ = false;
  waitsForKeyFrame_ = false;
  layerWaits_ = false;
  temporalWaitSinceUs_ = unknownSinceUs_ = kNever;
}

LayerSelector::Aim LayerSelector::aim(const Layers& layers, uint8_t packetEncoding) const {
  const uint8_t spatial = layers.pick(target_.layer.spatial);
  if (!layers.simulcast()) return {packetEncoding, {{spatial, target_.layer.temporal}, target_.inHaste}};
  // The spatial layers are encodings; within one everything is wanted. While a lower one than wanted flows its full
  // frame rate costs less than what was asked for; while a higher one flows it may cost more than there is.
  Aim aim{spatial, {kBestLayer, target_.inHaste}};
  if (encoding_ == spatial) aim.inEncoding.layer.temporal = target_.layer.temporal;
  if (encoding_ > spatial) aim.inEncoding.layer.temporal = target_.inHaste ? uint8_t{0} : target_.layer.temporal;
  return aim;
}

bool LayerSelector::continues(const Packet& packet, Codec codec) const {
  if (!flowing_ || packet.ssrc != source().ssrc) return false;
  // Another video codec is another source even under the same numbers; audio's alternate from packet to packet.
  if (codec != source().codec && (isVideo(codec) || isVideo(source().codec))) return false;
  const SeqNo ahead = packet.seq + source().shift - (numbers_.end() - 1);
  return ahead <= kMaxGap && ahead >= -kMaxBehind;
}

LayerSelector::Verdict LayerSelector::consider(const Packet& packet, Codec codec, const FrameInfo& info,
                                               const Track& track, Rewritten& out) {
  if (paused_) return Verdict::kPaused;
  Aim aimed = aim(track.layers, packet.encoding);
  if (continues(packet, codec)) {
    if (packet.encoding == aimed.encoding) waitsForKeyFrame_ = false;
  } else {
    const bool sameEncoding = packet.encoding == encoding_;
    if (packet.encoding != aimed.encoding && !(sameEncoding && flowing_)) return Verdict::kOtherEncoding;
    if (!info.key || !info.known) {
      waitsForKeyFrame_ = true;
      waitsForEncoding_ = packet.encoding;
      if (!flowing_) encoding_ = packet.encoding;
      // While another encoding still flows this one is only on its way.
      return flowing_ && !sameEncoding ? Verdict::kOtherEncoding : Verdict::kWaitingForKeyFrame;
    }
    enter(packet, codec, info, track);
    aimed = aim(track.layers, packet.encoding);
  }
  const SeqNo place = packet.seq + source().shift;
  if (place < source().from) return Verdict::kLate;
  if (place < numbers_.end()) return late(packet, info, place, aimed.inEncoding, out);
  nowUs_ = packet.receivedAtUs;
  return inOrder(packet, codec, info, place, aimed.inEncoding, out);
}

void LayerSelector::enter(const Packet& packet, Codec codec, const FrameInfo& info, const Track& track) {
  const Source before = source();
  const bool sameSource = sourceCount_ > 0 && before.ssrc == packet.ssrc;
  timeline_.enter({packet.timestamp, packet.receivedAtUs, packet.clockRateHz},
                  clockOf(track.clocks, packet.encoding, packet.ssrc),
                  sourceCount_ > 0 ? clockOf(track.clocks, before.encoding, before.ssrc) : nullptr, sameSource);
  gate_.leave();
  ++sourceCount_;
  Source& s = source() = {};
  s.from = numbers_.end();
  s.shift = s.from - packet.seq;
  s.ssrc = packet.ssrc;
  s.timestampOffset = timeline_.offset();
  s.encoding = packet.encoding;
  s.codec = codec;
  s.codecShift = codecNumbers_.enter(codec, packet.payload(), info);
  if (const auto front = wire::readDescriptorFront(dependencyDescriptor(packet)); front && lastFrameNumber_) {
    s.frameShift = static_cast<uint16_t>(*lastFrameNumber_ + 1 - front->frameNumber);
  }
  encoding_ = packet.encoding;
  flowing_ = true;
  waitsForKeyFrame_ = false;
  layerWaits_ = false;
  temporalWaitSinceUs_ = unknownSinceUs_ = kNever;
  last_ = {};
}

LayerSelector::Verdict LayerSelector::inOrder(const Packet& packet, Codec codec, const FrameInfo& info, SeqNo place,
                                              const LayerTarget& target, Rewritten& out) {
  if (info.padding) {
    // Of no use to anybody: its sender filled up its rate.
    numbers_.append(place, true);
    return Verdict::kOtherLayer;
  }
  lastAim_ = target;
  if (!info.known || !gate_.understands(info)) {
    numbers_.append(place, false);
    last_ = {};
    if (unknownSinceUs_ == kNever) unknownSinceUs_ = packet.receivedAtUs;
    return Verdict::kUnknownLayer;
  }
  unknownSinceUs_ = kNever;
  const bool gap = place > numbers_.end();
  const bool sameFrame = last_.known && info.frame == last_.frame;
  const bool nextFrame = last_.known && info.frame == last_.frame + 1;
  const bool unseen = (gap || !last_.known) && !sameFrame && !nextFrame;
  const bool forward = gate_.next(info, place, unseen, target);

  // Packets that are missing between two of one frame are of that frame; between neighbouring frames, of whichever is
  // not whole. Where all of that was left out they are left out as well, and want no number.
  bool leaveGapOut = false;
  if (gap && sameFrame) leaveGapOut = !forward;
  if (gap && nextFrame && (!last_.ends || !info.starts)) {
    leaveGapOut = (last_.ends || !last_.forwarded) && (info.starts || !forward);
  }
  codecNumbers_.next(codec, packet.payload(), info, forward, source().codecShift);
  numbers_.append(place, !forward, leaveGapOut);
  last_ = {info.frame, true, info.ends, forward};

  if (info.key) keyTimestamp_ = packet.timestamp;
  // In a key picture the way up may be among its frames that are still to come.
  layerWaits_ = gate_.wantsKeyFrame() && packet.timestamp != keyTimestamp_;
  noteTemporalWait(packet.receivedAtUs);
  if (!forward) return Verdict::kOtherLayer;

  return forwardAs(packet, info, place, out);
}

LayerSelector::Verdict LayerSelector::forwardAs(const Packet& packet, const FrameInfo& info, SeqNo place,
                                                Rewritten& out) {
  if (!rewrite(packet, source(), place, out)) return Verdict::kLate;
  out.marker = isMarked(packet, info, place);
  out.empty = false;
  if (place < newestSent_) return Verdict::kForward;
  newestSent_ = place;
  if (info.starts) noteFrame(info);
  timeline_.sent({packet.timestamp, packet.receivedAtUs, packet.clockRateHz});
  if (const auto front = wire::readDescriptorFront(dependencyDescriptor(packet))) {
    lastFrameNumber_ = static_cast<uint16_t>(front->frameNumber + source().frameShift);
  }
  return Verdict::kForward;
}

void LayerSelector::noteFrame(const FrameInfo& info) {
  const Layer layer = gate_.current().value_or(Layer{});
  if (totals_.frames > 0 && (layer != lastLayer_ || encoding_ != lastEncoding_)) ++totals_.switches;
  ++totals_.frames;
  if (info.key) ++totals_.keyFrames;
  lastLayer_ = layer;
  lastEncoding_ = encoding_;
}

LayerSelector::Verdict LayerSelector::late(const Packet& packet, const FrameInfo& info, SeqNo place,
                                           const LayerTarget& target, Rewritten& out) {
  switch (numbers_.fate(place)) {
    case NumberMap<kPlaces>::Fate::kDropped:
      return Verdict::kOtherLayer;
    case NumberMap<kPlaces>::Fate::kForgotten:
      return Verdict::kLate;
    case NumberMap<kPlaces>::Fate::kMapped:
      break;
  }
  if (!info.known && !info.padding) return Verdict::kUnknownLayer;
  // A key frame whose first packet is the late one brought what tells its layers: nothing of it was decided yet.
  if (info.padding) return fillUp(packet, place, out);
  const bool forward = gate_.begins(info, place) ? gate_.next(info, place, false, target) : gate_.late(info, place);
  codecNumbers_.next(source().codec, packet.payload(), info, forward, source().codecShift);
  return forward ? forwardAs(packet, info, place, out) : fillUp(packet, place, out);
}

// The number had been kept for a packet that is not for this subscriber. Its receiver must not wait for it.
LayerSelector::Verdict LayerSelector::fillUp(const Packet& packet, SeqNo place, Rewritten& out) const {
  out = {};
  const auto seq = numbers_.out(place);
  if (!seq) return Verdict::kLate;
  out.seq = *seq;
  out.timestamp = packet.timestamp + source().timestampOffset;
  out.empty = true;
  return Verdict::kForward;
}

// What flows is complete for its receiver when the highest spatial layer that is forwarded is.
bool LayerSelector::isMarked(const Packet& packet, const FrameInfo& info, SeqNo place) const {
  if (packet.marker) return true;
  const auto layer = gate_.layerAt(place);
  return info.ends && info.targets->count > 1 && layer && layer->spatial == info.layer.spatial;
}

void LayerSelector::noteTemporalWait(TimeUs nowUs) {
  const auto current = gate_.current();
  const auto goal = gate_.goal();
  const bool waits = current && goal && current->spatial == goal->spatial && current->temporal < goal->temporal;
  if (!waits) {
    temporalWaitSinceUs_ = kNever;
  } else if (temporalWaitSinceUs_ == kNever) {
    temporalWaitSinceUs_ = nowUs;
  }
}

bool LayerSelector::rewrite(const Packet& packet, const Source& source, SeqNo place, Rewritten& out) const {
  const auto seq = numbers_.out(place);
  if (!seq) return false;
  out.seq = *seq;
  out.timestamp = packet.timestamp + source.timestampOffset;
  if (!codecNumbers_.rewrite(source.codec, packet.payload(), source.codecShift, out.front)) return false;
  out.descriptor.reset();
  const Bytes descriptor = dependencyDescriptor(packet);
  const auto front = wire::readDescriptorFront(descriptor);
  if (!front) return true;
  const LayerGate::Announcement announcement = gate_.announcement(place);
  const auto all = static_cast<wire::TargetSet>((uint64_t{1} << announcement.targets) - 1);
  const bool tells = descriptor.size() > wire::DescriptorFront::kBytes && (announcement.forwarded & all) != all;
  if (source.frameShift == 0 && !announcement.announce && !tells) return true;
  wire::DescriptorChange change;
  change.frameNumber = static_cast<uint16_t>(front->frameNumber + source.frameShift);
  change.targets = announcement.targets;
  change.forwarded = announcement.forwarded;
  if (announcement.announce) change.announce = announcement.active;
  out.descriptor = change;
  return true;
}

std::optional<LayerSelector::Origin> LayerSelector::origin(SeqNo out) const {
  const auto place = numbers_.in(out);
  if (!place) return {};
  const uint32_t kept = std::min<uint32_t>(sourceCount_, static_cast<uint32_t>(sources_.size()));
  for (uint32_t ago = 0; ago < kept; ++ago) {
    const Source& s = sources_[(sourceCount_ - ago) % sources_.size()];
    if (s.from <= *place) return Origin{&s, *place, *place - s.shift};
  }
  return {};
}

LayerSelector::Verdict LayerSelector::considerLate(const Packet& packet, const FrameInfo& info, const Origin& origin,
                                                   Rewritten& out) {
  // What was decided for an earlier source is not remembered frame by frame; its receiver has gone on.
  if (paused_ || !flowing_ || origin.source != &source()) return Verdict::kLate;
  return late(packet, info, origin.place, lastAim_, out);
}

bool LayerSelector::rewriteAgain(const Packet& packet, const Origin& origin, Rewritten& out) const {
  return rewrite(packet, *origin.source, origin.place, out);
}

std::optional<uint8_t> LayerSelector::keyFrameWanted() const {
  if (paused_) return {};
  if (waitsForKeyFrame_) return waitsForEncoding_;
  if (!flowing_) return {};
  const auto over = [this](TimeUs sinceUs, TimeUs patienceUs) {
    return sinceUs != kNever && nowUs_ - sinceUs >= patienceUs;
  };
  if (layerWaits_ || over(temporalWaitSinceUs_, kTemporalPatienceUs) || over(unknownSinceUs_, kUnknownPatienceUs)) {
    return encoding_;
  }
  return {};
}

Layer LayerSelector::aimedAt(const Layers& layers) const {
  const uint8_t spatial = layers.pick(target_.layer.spatial);
  return {spatial, std::min(target_.layer.temporal, layers.temporal(spatial))};
}

std::optional<Layer> LayerSelector::current(const Layers& layers) const {
  if (!flowing()) return {};
  const auto layer = gate_.current();
  if (!layer) return {};
  const uint8_t spatial = layers.simulcast() ? encoding_ : layer->spatial;
  return Layer{spatial, std::min(layer->temporal, layers.temporal(spatial))};
}

}  // namespace sluice::forward
