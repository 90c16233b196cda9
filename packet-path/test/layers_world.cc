#include "layers_world.h"

#include <algorithm>

#include "core/receive/key_frame.h"
#include "core/wire/vp8_descriptor.h"
#include "core/wire/vp9_descriptor.h"

namespace sluice::test {

namespace {

constexpr uint32_t kClockHz = 90'000;

std::vector<uint8_t> keyOrNot(Codec codec, bool key, bool first, uint8_t temporal) {
  switch (codec) {
    case Codec::kH264:
      return {static_cast<uint8_t>(key && first ? 0x67 : 0x41), 0x80};
    case Codec::kH265: {
      // VPS before a key frame, TSA_R in higher temporal layers, TRAIL_R else.
      const uint8_t type = key && first ? 32 : temporal > 0 ? 3 : 1;
      return {static_cast<uint8_t>(type << 1), static_cast<uint8_t>(temporal + 1), 0x00};
    }
    case Codec::kAv1:
      return {static_cast<uint8_t>(first ? (key ? 0x18 : 0x10) : 0x90)};
    default:
      return {};
  }
}

// The picture nearest to the newest that ends like this id.
int64_t extend(uint16_t id, bool longId, int64_t newest) {
  const int64_t cycle = longId ? 32'768 : 128;
  if (newest < 0) return id;
  const int64_t ahead = (id - newest) & (cycle - 1);
  return newest + (ahead < cycle / 2 ? ahead : ahead - cycle);
}

}  // namespace

LayersWorld::LayersWorld(VideoSetup v, NetworkSetup n, uint64_t seed)
    : video(std::move(v)), network(n), random(seed), clocks(video.encodings.size()), paused(video.encodings.size()) {
  keyFramesMade.resize(video.encodings.size());
  for (size_t i = 0; i < video.encodings.size(); ++i) {
    Encoding e;
    e.svc = std::make_unique<SvcEncoder>(video.encodings[i], static_cast<int64_t>(random() % 65'536),
                                         static_cast<uint8_t>(random() % 64));
    e.ssrc = static_cast<Ssrc>(1'000 + i);
    e.nextSeq = 65'536 + static_cast<SeqNo>(random() % 65'536);
    e.timestampOffset = static_cast<uint32_t>(random());
    e.picture = static_cast<int64_t>(random() % 32'768);
    e.tl0 = static_cast<uint8_t>(random());
    encodings_.push_back(std::move(e));
  }
}

LayersSubscriber& LayersWorld::subscribe() {
  subscribers.push_back(std::make_unique<LayersSubscriber>(random()));
  return *subscribers.back();
}

void LayersWorld::run(TimeUs forUs, const std::function<void()>& everyPicture) {
  const TimeUs end = nowUs + forUs;
  int pictures = 0;
  while (nowUs < end) {
    everyPicture();
    makePictures();
    const TimeUs until = nowUs + kFrameUs;
    while (!flying_.empty() && flying_.begin()->first <= until) {
      const auto [at, arrival] = *flying_.begin();
      flying_.erase(flying_.begin());
      nowUs = std::max(nowUs, at);
      arrive(arrival);
    }
    nowUs = until;
    wantKeyFrames();
    if (++pictures % 3 == 0) {
      for (auto& s : subscribers) nack(*s);
    }
  }
}

void LayersWorld::drain() {
  while (!flying_.empty()) {
    const auto [at, arrival] = *flying_.begin();
    flying_.erase(flying_.begin());
    nowUs = std::max(nowUs, at);
    arrive(arrival);
  }
  for (auto& s : subscribers) nack(*s);
}

void LayersWorld::makePictures() {
  for (size_t i = 0; i < encodings_.size(); ++i) {
    if (paused[i]) continue;
    Encoding& e = encodings_[i];
    const bool key = e.keyAtUs != 0 && nowUs >= e.keyAtUs;
    if (key) e.keyAtUs = 0;
    if (key || e.nextSeq == 0) ++keyFramesMade[i];
    if (video.codec == Codec::kVp8) {
      makeVp8(i, key);
    } else {
      makeSvc(i, key);
    }
    if (reports && random() % 20 == 0) {
      // Some moment of the sender's, on the encoding's clock and on everybody's.
      const uint64_t ntp = (static_cast<uint64_t>(nowUs / kSecondUs) << 32) |
                           ((static_cast<uint64_t>(nowUs % kSecondUs) << 32) / kSecondUs);
      clocks[i] = {e.ssrc, ntp,
                   e.timestampOffset + static_cast<uint32_t>(static_cast<uint64_t>(nowUs) * kClockHz / kSecondUs),
                   nowUs};
    }
  }
}

// Temporal layers 0 2 1 2; an upper layer's frame depends on the base alone where it says so, else on the newest frame
// of each layer up to its own.
void LayersWorld::makeVp8(size_t i, bool key) {
  Encoding& e = encodings_[i];
  const uint8_t layerCount = video.encodings[i].temporalLayers;
  if (e.newest[0] < 0) key = true;
  if (key) e.phase = -1;
  const std::array<uint8_t, 4> pattern = layerCount == 1   ? std::array<uint8_t, 4>{0, 0, 0, 0}
                                         : layerCount == 2 ? std::array<uint8_t, 4>{0, 1, 0, 1}
                                                           : std::array<uint8_t, 4>{0, 2, 1, 2};
  const uint8_t t = pattern[static_cast<size_t>(++e.phase % 4)];
  MadeFrame f;
  f.encoding = static_cast<uint8_t>(i);
  f.temporal = t;
  f.startsSequence = key;
  // What could be referred to was made since the last key frame.
  bool whole = true;
  for (uint8_t l = 0; l <= t; ++l) whole = whole && e.newest[l] >= 0;
  const bool sync = t > 0 && (!whole || e.phase % 8 < 4 || random() % 4 == 0);
  if (!key) {
    const auto refer = [&](uint8_t l) { f.references.push_back(e.frameOf.at(e.newest[l])); };
    if (t == 0 || sync) {
      refer(0);
    } else {
      for (uint8_t l = 0; l <= t; ++l) refer(l);
    }
  }
  const int64_t number = e.vp8Number++;
  e.frameOf[number] = frames.size();
  if (key) e.newest.fill(-1);
  e.newest[t] = number;
  if (t == 0) ++e.tl0;
  e.picture = (e.picture + 1) & (video.shortPictureIds ? 0x7F : 0x7FFF);
  const Encoding& made = e;
  emit(
      i, f,
      [&made, t, sync, key, this, layerCount](bool first, bool) {
        wire::Vp8Descriptor d;
        d.startsPartition = first;
        d.pictureId = static_cast<uint16_t>(made.picture);
        d.longPictureId = !video.shortPictureIds;
        if (layerCount > 1) {
          d.tl0PicIdx = made.tl0;
          d.temporalLayer = t;
          d.layerSync = sync;
        }
        std::vector<uint8_t> front(wire::kMaxVp8DescriptorBytes);
        front.resize(wire::writeVp8Descriptor(d, front));
        front.push_back(static_cast<uint8_t>(key ? 0x10 : 0x11));
        return front;
      },
      nullptr, true);
}

void LayersWorld::makeSvc(size_t i, bool key) {
  Encoding& e = encodings_[i];
  const std::vector<SvcFrame> made = e.svc->next(key, spatialLayers);
  if (video.newStructures && made.front().keyPicture && random() % 2 == 0) {
    wire::DependencyStructure& s = e.svc->structure;
    s.templateIdOffset = static_cast<uint8_t>((s.templateIdOffset + s.templateCount) % 64);
  }
  e.picture = (e.picture + 1) & (video.shortPictureIds ? 0x7F : 0x7FFF);
  if (made.front().temporal == 0) ++e.tl0;
  for (const SvcFrame& svc : made) {
    MadeFrame f;
    f.encoding = static_cast<uint8_t>(i);
    f.spatial = svc.spatial;
    f.temporal = svc.temporal;
    f.startsSequence = svc.startsSequence;
    f.targets = svc.dependencies.targets;
    for (const int64_t r : svc.references) f.references.push_back(e.frameOf.at(r));
    e.frameOf[svc.number] = frames.size();
    emit(
        i, f,
        [&](bool first, bool last) {
          if (video.codec == Codec::kVp9) return vp9Front(e, svc, first, last);
          return keyOrNot(video.codec, svc.keyPicture && svc.startsSequence, first, svc.temporal);
        },
        &svc, svc.lastOfPicture);
  }
}

std::vector<uint8_t> LayersWorld::vp9Front(const Encoding& e, const SvcFrame& f, bool first, bool last) const {
  const bool predicted = !f.keyPicture;
  const bool structure = first && f.startsSequence;
  const bool useless = video.encodings[f.spatial < 8 ? 0 : 0].kind == SvcKind::kKey ? !f.keyPicture : false;
  std::vector<uint8_t> out;
  out.push_back(static_cast<uint8_t>(0x80 | (predicted ? 0x40 : 0) | 0x20 | (video.flexible ? 0x10 : 0) |
                                     (first ? 0x08 : 0) | (last ? 0x04 : 0) | (structure ? 0x02 : 0) |
                                     (useless ? 0x01 : 0)));
  if (video.shortPictureIds) {
    out.push_back(static_cast<uint8_t>(e.picture));
  } else {
    out.push_back(static_cast<uint8_t>(0x80 | (e.picture >> 8)));
    out.push_back(static_cast<uint8_t>(e.picture));
  }
  // In 0 2 1 2 no picture refers beyond the last one of a lower layer: any may be switched up at.
  out.push_back(static_cast<uint8_t>((f.temporal << 5) | 0x10 | (f.spatial << 1) | (f.refersBelow ? 1 : 0)));
  if (!video.flexible) out.push_back(e.tl0);
  if (predicted && video.flexible) {
    const int64_t perPicture = e.svc->mode.spatialLayers;
    for (const int64_t r : f.references) {
      const int64_t diff = f.number - r;
      if (diff == 1 && f.refersBelow && f.spatial > 0 && perPicture > 1) continue;
      out.push_back(static_cast<uint8_t>((diff / perPicture) << 1));
    }
  }
  if (structure) out.push_back(static_cast<uint8_t>((e.svc->mode.spatialLayers - 1) << 5));
  return out;
}

void LayersWorld::emit(size_t i, MadeFrame frame, const std::function<std::vector<uint8_t>(bool, bool)>& front,
                       const SvcFrame* svc, bool lastOfPicture) {
  Encoding& e = encodings_[i];
  frame.packets = 1 + static_cast<int>(random() % static_cast<uint64_t>(video.packetsPerFrame));
  frame.capturedAtUs = nowUs;
  const size_t id = frames.size();
  frames.push_back(frame);
  for (int p = 0; p < frame.packets; ++p) {
    const bool first = p == 0;
    const bool last = p + 1 == frame.packets;
    MadePacket made;
    made.payload = front(first, last);
    const auto packetId = static_cast<uint32_t>(packets.size());
    for (int shift = 24; shift >= 0; shift -= 8) made.payload.push_back(static_cast<uint8_t>(packetId >> shift));
    if (video.described && svc != nullptr) {
      std::array<uint8_t, 512> bytes{};
      const bool attach = first && svc->keyPicture && svc->spatial == 0;
      const size_t n = wire::writeDependencyDescriptor({first, last, 0, static_cast<uint16_t>(svc->number)},
                                                       e.svc->structure, svc->dependencies, attach, {}, bytes);
      made.descriptor.assign(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
    }
    made.ssrc = e.ssrc;
    made.seq = e.nextSeq++;
    made.timestamp = e.timestampOffset + static_cast<uint32_t>(static_cast<uint64_t>(nowUs) * kClockHz / kSecondUs);
    made.marker = last && lastOfPicture;
    made.encoding = static_cast<uint8_t>(i);
    made.frame = id;
    made.index = p;
    packets.push_back(std::move(made));
    madeBy_[{e.ssrc, e.nextSeq - 1}] = packetId;
    transmit(packetId);
  }
  // Now and then its sender fills up its rate.
  if (lastOfPicture && random() % 30 == 0) {
    MadePacket padding;
    padding.ssrc = e.ssrc;
    padding.seq = e.nextSeq++;
    padding.timestamp = packets.back().timestamp;
    padding.encoding = static_cast<uint8_t>(i);
    padding.frame = SIZE_MAX;
    madeBy_[{e.ssrc, padding.seq}] = packets.size();
    packets.push_back(std::move(padding));
    transmit(packets.size() - 1);
  }
}

void LayersWorld::transmit(size_t packet) {
  const auto chance = [this](double p) { return static_cast<double>(random() % 1'000'000) < p * 1'000'000; };
  lastSentAtUs_ = std::max(lastSentAtUs_ + 1, nowUs + 5'000);
  TimeUs at = lastSentAtUs_;
  bool repaired = false;
  if (chance(network.loss)) {
    if (chance(network.forever)) {
      packets[packet].lostForever = true;
      if (packets[packet].frame != SIZE_MAX) frames[packets[packet].frame].lostForever = true;
      return;
    }
    at += network.repairUs + static_cast<TimeUs>(random() % 40'000);
    repaired = true;
  } else if (chance(network.reordered)) {
    at += static_cast<TimeUs>(random() % 20'000);
  }
  flying_.emplace(at, Arrival{packet, repaired});
}

void LayersWorld::arrive(const Arrival& a) {
  const MadePacket& made = packets[a.packet];
  PacketRef ref = pool_.take();
  REQUIRE(ref);
  Packet& p = ref.fill();
  std::copy(made.descriptor.begin(), made.descriptor.end(), p.bytes);
  if (!made.descriptor.empty()) {
    p.extensions[0] = {wire::ExtensionKind::kDependencyDescriptor, static_cast<uint8_t>(made.descriptor.size()), 0};
    p.extensionCount = 1;
  }
  p.payloadOffset = static_cast<uint16_t>(made.descriptor.size());
  p.payloadSize = static_cast<uint16_t>(made.payload.size());
  std::copy(made.payload.begin(), made.payload.end(), p.bytes + p.payloadOffset);
  p.timestamp = made.timestamp;
  p.ssrc = made.ssrc;
  p.seq = made.seq;
  p.clockRateHz = kClockHz;
  p.receivedAtUs = nowUs;
  p.encoding = made.encoding;
  p.marker = made.marker;
  p.recovered = a.repaired;
  p.entryPoint = receive::startsKeyFrame(video.codec, p.payload());
  history_[{p.ssrc, p.seq}] = ref;
  forward::FrameInfo info;
  (void)layers.note(*ref, video.codec, info);
  const bool late = p.seq < newest_[p.ssrc];
  newest_[p.ssrc] = std::max(newest_[p.ssrc], p.seq);
  for (auto& s : subscribers) offer(*s, ref, info, late);
}

void LayersWorld::offer(LayersSubscriber& s, const PacketRef& p, const forward::FrameInfo& info, bool late) {
  forward::Rewritten out;
  const auto verdict = s.selector.consider(*p, video.codec, info, {layers, clocks}, out);
  if (verdict == forward::LayerSelector::Verdict::kForward) return deliver(s, p, out);
  const size_t made = madeBy_.at({p->ssrc, p->seq});
  using Verdict = forward::LayerSelector::Verdict;
  if (verdict == Verdict::kOtherLayer) s.refused.insert(made);
  const bool left = verdict == Verdict::kPaused || verdict == Verdict::kOtherEncoding ||
                    verdict == Verdict::kWaitingForKeyFrame || verdict == Verdict::kLate;
  if (late && left) s.cut.insert(packets[made].frame);
}

void LayersWorld::deliver(LayersSubscriber& s, const PacketRef& p, const forward::Rewritten& out) {
  ReceivedPacket r;
  r.timestamp = out.timestamp;
  r.marker = out.marker;
  const size_t made = madeBy_.at({p->ssrc, p->seq});
  if (!out.empty) {
    r.made = made;
    const Bytes payload = p->payload();
    r.payload.assign(out.front.bytes.begin(), out.front.bytes.begin() + (out.front.cut > 0 ? out.front.size : 0));
    r.payload.insert(r.payload.end(), payload.begin() + out.front.cut, payload.end());
    const Bytes descriptor = forward::dependencyDescriptor(*p);
    if (out.descriptor) {
      r.descriptor.resize(descriptor.size() + wire::kMaxDescriptorGrowth);
      r.descriptor.resize(wire::changeDependencyDescriptor(descriptor, *out.descriptor, r.descriptor));
      CHECK_FALSE(r.descriptor.empty());
    } else {
      r.descriptor.assign(descriptor.begin(), descriptor.end());
    }
    if (const auto layer = s.selector.current(layers)) s.seen.push_back({nowUs, *layer});
  } else {
    s.refused.insert(made);
  }
  // No number means two things.
  REQUIRE(s.received.emplace(out.seq, std::move(r)).second);
  REQUIRE(out.seq >= s.first);
  if (out.empty) return;
  // What is resent is the same again.
  const auto origin = s.selector.origin(out.seq);
  REQUIRE(origin);
  CHECK(origin->in == p->seq);
  forward::Rewritten again;
  REQUIRE(s.selector.rewriteAgain(*p, *origin, again));
  CHECK(again.seq == out.seq);
  CHECK(again.timestamp == out.timestamp);
  CHECK(again.front.cut == out.front.cut);
  CHECK(again.front.bytes == out.front.bytes);
  CHECK(again.descriptor.has_value() == out.descriptor.has_value());
}

// The receiver misses numbers; what came meanwhile is sent under them.
void LayersWorld::nack(LayersSubscriber& s) {
  if (s.received.empty()) return;
  const SeqNo highest = s.received.rbegin()->first;
  for (SeqNo seq = std::max(s.received.begin()->first, highest - 900); seq < highest; ++seq) {
    if (s.received.contains(seq)) continue;
    const auto origin = s.selector.origin(seq);
    if (!origin) continue;
    const auto packet = history_.find({origin->source->ssrc, origin->in});
    if (packet == history_.end()) continue;
    forward::FrameInfo info;
    layers.describe(*packet->second, video.codec, info);
    forward::Rewritten out;
    if (s.selector.considerLate(*packet->second, info, *origin, out) == forward::LayerSelector::Verdict::kForward) {
      CHECK(out.seq == seq);
      deliver(s, packet->second, out);
    }
  }
}

void LayersWorld::wantKeyFrames() {
  for (auto& s : subscribers) {
    const auto wanted = s->selector.keyFrameWanted();
    if (!wanted) continue;
    Encoding& e = encodings_[*wanted];
    if (e.keyAtUs == 0) e.keyAtUs = nowUs + keyFrameDelayUs;
  }
}

// ── What must be true of what was received ──

void LayersWorld::checkAll() {
  for (auto& s : subscribers) check(*s);
}

void LayersWorld::check(LayersSubscriber& s) {
  REQUIRE_FALSE(s.received.empty());
  if (lossless()) {
    // Numbers have no gap but at the ends of sources, where the receiver goes on with a key frame.
    int gaps = 0;
    SeqNo expected = s.received.begin()->first;
    for (const auto& [seq, packet] : s.received) {
      if (seq != expected) {
        const auto origin = s.selector.origin(expected);
        const bool flows =
            origin && origin->source->ssrc == s.selector.origin(s.received.rbegin()->first)->source->ssrc;
        if (flows) ++gaps;
      }
      expected = seq + 1;
    }
    if (subscribers.size() == 1 && video.encodings.size() == 1) CHECK(gaps == 0);
  }
  const std::vector<WholeFrame> whole = wholeFrames(s);
  checkDecodable(s, whole);
  checkMarkersAndTime(s);
  if (video.described) checkDescriptors(s, whole);
  if (video.codec == Codec::kVp8) checkVp8(s, whole);
  if (video.codec == Codec::kVp9 && video.flexible) checkVp9(s, whole);
}

std::vector<LayersWorld::WholeFrame> LayersWorld::wholeFrames(LayersSubscriber& s) {
  std::map<size_t, std::vector<SeqNo>> byFrame;
  for (const auto& [seq, packet] : s.received) {
    if (packet.made) byFrame[packets[*packet.made].frame].push_back(seq);
  }
  std::vector<WholeFrame> whole;
  for (const auto& [frame, seqs] : byFrame) {
    if (static_cast<int>(seqs.size()) == frames[frame].packets) {
      // A frame's packets follow each other without anything in between.
      CHECK(seqs.back() - seqs.front() == frames[frame].packets - 1);
      for (size_t i = 0; i < seqs.size(); ++i) {
        CHECK(packets[*s.received.at(seqs[i]).made].index == static_cast<int>(i));
      }
      whole.push_back({frame, seqs.front(), seqs.back()});
      continue;
    }
    if (frames[frame].lostForever || s.cut.contains(frame)) continue;
    // Otherwise only the end of a source cuts a frame: another begins right behind.
    const auto after = s.received.upper_bound(seqs.back());
    bool cut = after == s.received.end();
    for (auto it = after; it != s.received.end() && !cut; ++it) {
      if (!it->second.made) continue;
      cut = frames[packets[*it->second.made].frame].startsSequence;
      break;
    }
    CHECK(cut);
  }
  std::sort(whole.begin(), whole.end(), [](const auto& a, const auto& b) { return a.firstSeq < b.firstSeq; });
  return whole;
}

void LayersWorld::checkDecodable(LayersSubscriber& s, const std::vector<WholeFrame>& whole) {
  std::set<size_t> decoded;
  std::map<size_t, std::vector<SeqNo>> some;
  for (const auto& [seq, packet] : s.received) {
    if (packet.made) some[packets[*packet.made].frame].push_back(seq);
  }
  size_t broken = 0;
  for (const WholeFrame& w : whole) {
    for (const size_t r : frames[w.frame].references) {
      // A reference that is missing was lost on the way, or came too late for its source; it was not left out.
      if (!some.contains(r) && !frames[r].lostForever && !s.cut.contains(r)) ++broken;
      if (decoded.contains(r) || !some.contains(r)) continue;
      // What is there of it is there before.
      CHECK(some[r].front() < w.firstSeq);
    }
    decoded.insert(w.frame);
  }
  CHECK(broken == 0);
}

void LayersWorld::checkMarkersAndTime(LayersSubscriber& s) {
  uint32_t timestamp = 0;
  bool any = false;
  bool markedBefore = false;
  int unmarked = 0;
  int afterMark = 0;
  for (const auto& [seq, packet] : s.received) {
    if (!packet.made) continue;
    if (any && packet.timestamp != timestamp) {
      // Time goes on.
      CHECK(static_cast<int32_t>(packet.timestamp - timestamp) > 0);
      if (!markedBefore) ++unmarked;
    } else if (any && markedBefore) {
      ++afterMark;
    }
    timestamp = packet.timestamp;
    markedBefore = packet.marker;
    any = true;
  }
  if (network.loss > 0 || video.encodings.size() > 1) return;
  // Pictures end with a mark, and with the first.
  const bool independent = video.encodings[0].kind == SvcKind::kS;
  if (!independent) {
    CHECK(afterMark == 0);
    CHECK(unmarked == 0);
  }
}

void LayersWorld::checkDescriptors(LayersSubscriber& s, const std::vector<WholeFrame>& whole) {
  wire::DependencyStructure structure;
  wire::DependencyStructure attached;
  bool known = false;
  std::map<uint16_t, size_t> frameOf;
  std::optional<uint16_t> newest;
  std::map<SeqNo, wire::TargetSet> activeAt;  // by first packet of a frame
  wire::TargetSet active = 0;
  for (const WholeFrame& w : whole) {
    for (SeqNo seq = w.firstSeq; seq <= w.lastSeq; ++seq) {
      const ReceivedPacket& p = s.received.at(seq);
      wire::DependencyDescriptor d;
      const auto verdict = wire::parseDependencyDescriptor(p.descriptor, known ? &structure : nullptr, attached, d);
      if (verdict != wire::DescriptorVerdict::kRead && !lossless()) continue;
      REQUIRE(verdict == wire::DescriptorVerdict::kRead);
      if (d.hasStructure) {
        structure = attached;
        known = true;
      }
      if (d.activeTargets) active = *d.activeTargets;
      if (seq != w.firstSeq) continue;
      activeAt[seq] = active;
      const uint16_t number = d.front.frameNumber;
      if (newest) CHECK(static_cast<int16_t>(number - *newest) > 0);
      newest = number;
      frameOf[number] = w.frame;
      // What it refers to by number is what it truly refers to.
      std::set<size_t> found;
      for (const uint16_t diff : d.frame.referenced()) {
        const auto it = frameOf.find(static_cast<uint16_t>(number - diff));
        if (it != frameOf.end()) found.insert(it->second);
      }
      checkFound(s, w, found);
      if (network.loss == 0) CHECK((d.frame.targets.present & active) != 0);
    }
  }
}

// What a receiver finds by the numbers it got is what a frame truly refers to, except what never came.
void LayersWorld::checkFound(const LayersSubscriber& s, const WholeFrame& w, const std::set<size_t>& found) {
  const auto& truly = frames[w.frame].references;
  for (const size_t r : found) CHECK(std::find(truly.begin(), truly.end(), r) != truly.end());
  for (const size_t r : truly) {
    CHECK((found.contains(r) || s.cut.contains(r) || frames[r].lostForever));
  }
}

// As libwebrtc's rtp_vp8_ref_finder.cc finds references: by layer and TL0PICIDX, and only if no picture in between is
// missing.
void LayersWorld::checkVp8(LayersSubscriber& s, const std::vector<WholeFrame>& whole) {
  if (!lossless() || network.loss > 0) return;  // a picture that is lost for good holds up others there
  std::map<int64_t, size_t> byPicture;
  std::map<int64_t, std::array<int64_t, 4>> byTl0;
  std::set<int64_t> missing;
  int64_t newestPicture = -1;
  int64_t newestTl0 = -1;
  for (const WholeFrame& w : whole) {
    const MadeFrame& f = frames[w.frame];
    const auto d = wire::parseVp8Descriptor(s.received.at(w.firstSeq).payload);
    REQUIRE(d);
    REQUIRE(d->pictureId);
    const int64_t picture = extend(*d->pictureId, d->longPictureId, newestPicture);
    CHECK(picture > newestPicture);
    if (newestPicture < 0) newestPicture = picture - 1;
    for (int64_t p = newestPicture + 1; p <= picture; ++p) missing.insert(p);
    newestPicture = picture;
    byPicture[picture] = w.frame;
    missing.erase(picture);
    if (!d->temporalLayer) {
      CHECK(missing.empty());
      continue;
    }
    REQUIRE(d->tl0PicIdx);
    int64_t tl0 = *d->tl0PicIdx;
    if (newestTl0 >= 0) tl0 = newestTl0 + static_cast<int8_t>(static_cast<uint8_t>(*d->tl0PicIdx - newestTl0));
    if (f.temporal == 0 && newestTl0 >= 0) CHECK(tl0 == newestTl0 + 1);
    newestTl0 = std::max(newestTl0, tl0);
    if (f.startsSequence) {
      byTl0[tl0] = {picture, -1, -1, -1};
      continue;
    }
    if (f.temporal == 0) {
      REQUIRE(byTl0.contains(tl0 - 1));
      byTl0[tl0] = byTl0[tl0 - 1];
    }
    REQUIRE(byTl0.contains(tl0));
    auto& newest = byTl0[tl0];
    std::vector<size_t> found;
    for (uint8_t l = 0; l <= (d->layerSync || f.temporal == 0 ? 0 : f.temporal); ++l) {
      REQUIRE(newest[l] >= 0);
      // Nothing is waited for that will not come.
      CHECK(missing.upper_bound(newest[l]) == missing.end());
      found.push_back(byPicture.at(newest[l]));
    }
    std::vector<size_t> truly = f.references;
    std::sort(found.begin(), found.end());
    std::sort(truly.begin(), truly.end());
    CHECK(found == truly);
    newest[f.temporal] = picture;
  }
}

void LayersWorld::checkVp9(LayersSubscriber& s, const std::vector<WholeFrame>& whole) {
  std::map<int64_t, size_t> byId;
  int64_t newestPicture = -1;
  for (const WholeFrame& w : whole) {
    const auto d = wire::parseVp9Descriptor(s.received.at(w.firstSeq).payload);
    REQUIRE(d);
    REQUIRE(d->pictureId);
    const int64_t picture = extend(*d->pictureId, d->longPictureId, newestPicture);
    CHECK(picture >= newestPicture);
    newestPicture = picture;
    const int64_t id = picture * 8 + d->spatialLayer;
    byId[id] = w.frame;
    std::vector<int64_t> told;
    for (size_t i = 0; i < d->references; ++i) told.push_back(id - int64_t{d->referenceDiffs[i]} * 8);
    if (d->interLayer) told.push_back(id - 1);
    CHECK(told.size() == frames[w.frame].references.size());
    std::set<size_t> found;
    for (const int64_t r : told) {
      const auto it = byId.find(r);
      if (it == byId.end()) continue;
      found.insert(it->second);
      const auto& truly = frames[w.frame].references;
      CHECK(std::find(truly.begin(), truly.end(), it->second) != truly.end());
    }
    checkFound(s, w, found);
  }
}

}  // namespace sluice::test
