#include "fan_out.h"

#include <algorithm>
#include <bit>

#include "format.h"
#include "forward/useful_layer.h"

namespace sluice {

namespace {

// A request for a key frame to another shard is repeated no sooner than this; the publisher's own limit is stricter.
constexpr TimeUs kAskOtherShardUs = 100 * kMillisecondUs;

// Frame rates are measured over a second.
constexpr TimeUs kWeighUs = 500 * kMillisecondUs;

// What goes into the MID extension of this subscriber's next packet; empty for none.
std::string_view midFor(const Subscriber& subscriber) {
  if (subscriber.transport->extensions.id(wire::ExtensionKind::kMid) == 0) return {};
  return subscriber.stream.mid();
}

void noteSent(const Subscriber& subscriber, const send::Outgoing& out, TimeUs nowUs) {
  if (subscriber.estimator == nullptr || out.asBefore) return;
  subscriber.estimator->onSend(out.stamp.transportSeq, out.bytes, nowUs);
}

void prefetch(const void* object, size_t bytes) {
  constexpr size_t kCacheLine = 64;
  for (size_t at = 0; at < bytes; at += kCacheLine) {
    __builtin_prefetch(static_cast<const uint8_t*>(object) + at);
  }
}

// While one subscriber's burst is sealed and sent, the next one's state comes into the cache: what it points to is one
// step behind the pointers.
void prefetchAhead(const std::vector<Subscriber*>& subscribers, size_t served) {
  if (served + 2 < subscribers.size()) prefetch(subscribers[served + 2], sizeof(Subscriber));
  if (served + 1 < subscribers.size()) prefetch(subscribers[served + 1]->transport, sizeof(send::Transport));
}

DropReason dropReason(forward::LayerSelector::Verdict verdict) {
  using Verdict = forward::LayerSelector::Verdict;
  switch (verdict) {
    case Verdict::kPaused:
      return DropReason::kPaused;
    case Verdict::kWaitingForKeyFrame:
      return DropReason::kWaitingForKeyFrame;
    case Verdict::kOtherEncoding:
      return DropReason::kOtherEncoding;
    case Verdict::kOtherLayer:
      return DropReason::kOtherLayer;
    case Verdict::kUnknownLayer:
      return DropReason::kUnknownLayer;
    case Verdict::kLate:
    case Verdict::kForward:
      break;
  }
  return DropReason::kLateForSwitch;
}

}  // namespace

void weigh(Subscriber& subscriber, TimeUs nowUs) {
  const TrackWish& wish = subscriber.stream.spec().wish;
  const forward::Layer useful = forward::usefulLayer(wish, subscriber.track->layers, subscriber.wished(), nowUs);
  if (useful != subscriber.wished()) subscriber.setWished(useful);
}

void FanOut::add(Track& track, PacketRef packet, Origin origin, TimeUs nowUs) {
  if (origin == Origin::kHere) {
    for (uint64_t shards = track.wantedBy; shards != 0; shards &= shards - 1) {
      const auto shard = static_cast<ShardIndex>(std::countr_zero(shards));
      if (world_.post(shard, ForwardedPacket{track.key, packet})) {
        counters_.add(Counter::kPostedPackets);
      } else {
        counters_.drop(DropReason::kShardQueueFull);
      }
    }
  }
  if (track.subscribers.empty()) return;
  // A burst holds no more; what one batch brings beyond goes out before.
  if (track.queue.size() == kMaxBatch) serveAll(track, nowUs);
  track.queue.push_back(std::move(packet));
  if (track.queued) return;
  track.queued = true;
  queued_.push_back(&track);
}

bool FanOut::run(TimeUs nowUs) {
  if (queued_.empty()) return false;
  for (Track* track : queued_) {
    serveAll(*track, nowUs);
    track->queued = false;
  }
  queued_.clear();
  return true;
}

void FanOut::serveAll(Track& track, TimeUs nowUs) {
  if (track.subscribers.empty()) {
    track.queue.clear();
    return;
  }
  remember(track);
  if (nowUs - track.weighedAtUs >= kWeighUs) weighWishes(track, nowUs);
  uint32_t wanted = 0;  // encodings of which somebody needs a key frame
  for (size_t i = 0; i < track.subscribers.size(); ++i) {
    prefetchAhead(track.subscribers, i);
    serve(*track.subscribers[i], nowUs);
    if (const auto encoding = track.subscribers[i]->selector.keyFrameWanted()) wanted |= 1U << *encoding;
  }
  for (; wanted != 0; wanted &= wanted - 1) {
    wantKeyFrame(track, static_cast<uint8_t>(std::countr_zero(wanted)), nowUs);
  }
  track.queue.clear();
}

void FanOut::weighWishes(Track& track, TimeUs nowUs) {
  track.weighedAtUs = nowUs;
  for (Subscriber* subscriber : track.subscribers) {
    if (subscriber->stream.spec().wish.maxFps > 0) weigh(*subscriber, nowUs);
  }
}

void FanOut::remember(Track& track) {
  const MediaKind kind = track.subscribers.front()->stream.spec().kind;
  for (size_t i = 0; i < track.queue.size(); ++i) {
    const PacketRef& packet = track.queue[i];
    (void)track.layers.note(*packet, codecOf(packet->format), infos_[i]);
    if (packet->encoding >= forward::Layers::kMaxEncodings) continue;
    while (track.histories.size() <= packet->encoding) track.histories.emplace_back(kind);
    track.histories[packet->encoding].put(packet);
  }
}

void FanOut::serve(Subscriber& subscriber, TimeUs nowUs) {
  const uint64_t switches = subscriber.selector.totals().switches;
  const size_t count = select(subscriber);
  if (count == 0) return;
  counters_.add(Counter::kLayerSwitches, subscriber.selector.totals().switches - switches);
  writer_.write(std::span(batch_).first(count), *subscriber.transport, world_.datagrams(), nowUs, counters_);
  for (size_t i = 0; i < count; ++i) {
    if (!batch_[i].sent) continue;
    noteFirst(subscriber, i, batch_[i].seq);
    noteSent(subscriber, batch_[i], nowUs);
    counters_.add(Counter::kRtpForwarded);
  }
}

// Puts into batch_ what of the queue this subscriber gets. Returns how many packets.
size_t FanOut::select(Subscriber& subscriber) {
  const Track& track = *subscriber.track;
  send::OutgoingStream& stream = subscriber.stream;
  const std::string_view mid = midFor(subscriber);
  size_t count = 0;
  for (size_t i = 0; i < track.queue.size(); ++i) {
    const Packet& packet = *track.queue[i];
    const send::OutgoingStream::Form form = stream.form(packet);
    if (form.format == nullptr) {
      counters_.drop(DropReason::kNoCommonFormat);
      continue;
    }
    const auto verdict = subscriber.selector.consider(packet, codecOf(packet.format), infos_[i],
                                                      {track.layers, track.clocks}, rewritten_[count]);
    if (verdict != forward::LayerSelector::Verdict::kForward) {
      counters_.drop(dropReason(verdict));
      continue;
    }
    if (!fill(count, packet, form)) continue;
    send::Outgoing& out = batch_[count++];
    out.seq = rewritten_[count - 1].seq;
    out.ssrc = stream.ssrc();
    out.payloadType = form.format->payloadType;
    out.mid = mid;
  }
  return count;
}

// What every sending of a packet as rewritten_[slot] has in common.
bool FanOut::fill(size_t slot, const Packet& packet, const send::OutgoingStream::Form& form) {
  const forward::Rewritten& as = rewritten_[slot];
  send::Outgoing& out = batch_[slot] = {};
  out.packet = &packet;
  out.timestamp = as.timestamp;
  out.marker = as.marker;
  if (as.empty) {
    out.skip = packet.payloadSize;
    out.descriptor = Bytes{};
    return true;
  }
  out.skip = form.skip;
  if (as.front.cut > 0) {
    out.skip = as.front.cut;
    out.front = as.front.written();
  }
  if (!as.descriptor) return true;
  const size_t bytes =
      wire::changeDependencyDescriptor(forward::dependencyDescriptor(packet), *as.descriptor, descriptors_[slot]);
  if (bytes == 0 || bytes > kMaxElement) {
    counters_.drop(DropReason::kUnknownLayer);
    return false;
  }
  out.descriptor = Bytes(descriptors_[slot]).first(bytes);
  return true;
}

// A packet went out for the first time, with number `seq`.
void FanOut::noteFirst(Subscriber& subscriber, size_t slot, SeqNo seq) {
  send::Outgoing& out = batch_[slot];
  const forward::Rewritten& as = rewritten_[slot];
  if (subscriber.stream.resendsAsBefore()) out.stamp.rewritten = digest(out);
  subscriber.stream.sent(*out.packet, out.payloadBytes(), seq, {as.marker, as.empty}, out.stamp);
}

void FanOut::resend(Subscriber& subscriber, Bytes control, TimeUs nowUs, TimeUs rttUs) {
  size_t count = 0;
  uint64_t asked = 0;
  wire::readNacks(control, [&](uint16_t wire) {
    ++asked;
    if (!prepareResend(subscriber, wire, nowUs, rttUs, count)) return;
    if (++count == kMaxBatch) flushResends(subscriber, std::exchange(count, 0), nowUs);
  });
  flushResends(subscriber, count, nowUs);
  subscriber.stream.noteNacks(asked);
  counters_.add(Counter::kNacksIn, asked);
}

bool FanOut::prepareResend(Subscriber& subscriber, uint16_t wire, TimeUs nowUs, TimeUs rttUs, size_t slot) {
  send::OutgoingStream& stream = subscriber.stream;
  send::ResendRing* ring = stream.ring();
  send::ResendRing::Answer answer;
  if (ring != nullptr) answer = ring->ask(wire, nowUs, rttUs);
  if (answer.verdict == send::ResendRing::Verdict::kTooOften) {
    counters_.drop(DropReason::kNackedTooOften);
    return false;
  }
  std::optional<forward::LayerSelector::Origin> origin;
  if (answer.verdict != send::ResendRing::Verdict::kUnknown) origin = subscriber.selector.origin(answer.out);
  if (!origin) {
    counters_.drop(DropReason::kNackedUnknown);
    return false;
  }
  const Kept kept = findKept(subscriber, *origin);
  if (kept.packet == nullptr) {
    counters_.drop(DropReason::kNackedGone);
    return false;
  }
  // It came before the packet at which this subscriber was let in, or nobody could tell its layer, or the sink refused
  // it.
  const bool unsent = answer.verdict == send::ResendRing::Verdict::kUnsent;
  const Packet& packet = **kept.packet;
  forward::Rewritten& as = rewritten_[slot];
  const bool told =
      unsent ? rewriteUnsent(subscriber, packet, *origin, as) : rewriteSent(subscriber, packet, *origin, answer, as);
  if (!told || !fill(slot, packet, kept.form)) {
    counters_.drop(DropReason::kNackedGone);
    return false;
  }
  send::Outgoing& out = batch_[slot];
  unsent_[slot] = unsent;
  out.mid = midFor(subscriber);
  if (stream.rtxSsrc() && kept.form.format->rtxPayloadType) {
    out.repair = true;
    out.originalSeq = wire;
    out.seq = stream.takeRtxSeq();
    out.ssrc = *stream.rtxSsrc();
    out.payloadType = *kept.form.format->rtxPayloadType;
    return true;
  }
  out.seq = answer.out;
  out.ssrc = stream.ssrc();
  out.payloadType = kept.form.format->payloadType;
  if (unsent) return true;
  // The same number under the same key must be the same bytes (RFC 7714 §8.1).
  if (digest(out) != answer.stamp.rewritten) {
    counters_.drop(DropReason::kNackedGone);
    return false;
  }
  out.asBefore = true;
  out.stamp = answer.stamp;
  out.mid = answer.stamp.withMid ? stream.wireMid() : std::string_view{};
  return true;
}

FanOut::Kept FanOut::findKept(Subscriber& subscriber, const forward::LayerSelector::Origin& origin) {
  const auto& histories = subscriber.track->histories;
  if (origin.source->encoding >= histories.size()) return {};
  const PacketRef* packet = histories[origin.source->encoding].find(origin.source->ssrc, origin.in);
  if (packet == nullptr) return {};
  const auto form = subscriber.stream.form(**packet);
  return form.format == nullptr ? Kept{} : Kept{packet, form};
}

// As it was sent, as far as the packet's own number and payload go.
bool FanOut::rewriteSent(const Subscriber& subscriber, const Packet& packet,
                         const forward::LayerSelector::Origin& origin, const send::ResendRing::Answer& answer,
                         forward::Rewritten& out) {
  out = {};
  if (!answer.form.empty && !subscriber.selector.rewriteAgain(packet, origin, out)) return false;
  out.seq = answer.out;
  out.timestamp = packet.timestamp + origin.source->timestampOffset;
  out.marker = answer.form.marker;
  out.empty = answer.form.empty;
  return true;
}

bool FanOut::rewriteUnsent(Subscriber& subscriber, const Packet& packet, const forward::LayerSelector::Origin& origin,
                           forward::Rewritten& out) {
  forward::FrameInfo info;
  subscriber.track->layers.describe(packet, codecOf(packet.format), info);
  return subscriber.selector.considerLate(packet, info, origin, out) == forward::LayerSelector::Verdict::kForward;
}

void FanOut::flushResends(Subscriber& subscriber, size_t count, TimeUs nowUs) {
  if (count == 0) return;
  writer_.write(std::span(batch_).first(count), *subscriber.transport, world_.datagrams(), nowUs, counters_);
  for (size_t i = 0; i < count; ++i) {
    const send::Outgoing& out = batch_[i];
    if (!out.sent) continue;
    noteSent(subscriber, out, nowUs);
    if (unsent_[i]) noteFirst(subscriber, i, rewritten_[i].seq);
    subscriber.stream.resent(out.payloadBytes());
    counters_.add(Counter::kResentOut);
  }
}

void FanOut::wantKeyFrame(Track& track, uint8_t encoding, TimeUs nowUs) {
  if (track.publisher != nullptr) {
    track.publisher->wantKeyFrame(track.key, encoding, nowUs);
    return;
  }
  const TrackHome* home = tracks_.home(track.key);
  if (home == nullptr) return;
  const int owner = home->claim->owner();
  if (owner == SessionClaim::kUnclaimed || owner == self_) return;
  if (encoding >= track.keyFrameAskedAtUs.size()) return;
  TimeUs& askedAtUs = track.keyFrameAskedAtUs[encoding];
  if (askedAtUs != kNever && nowUs - askedAtUs < kAskOtherShardUs) return;
  askedAtUs = nowUs;
  if (!world_.post(static_cast<ShardIndex>(owner), KeyFrameWanted{track.key, encoding})) {
    counters_.drop(DropReason::kShardQueueFull);
  }
}

}  // namespace sluice
