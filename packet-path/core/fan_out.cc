#include "fan_out.h"

#include <bit>

namespace sluice {

namespace {

// A request for a key frame to another shard is repeated no sooner than this; the publisher's own limit is stricter.
constexpr TimeUs kAskOtherShardUs = 100 * kMillisecondUs;

constexpr size_t kMaxBatch = send::BurstWriter::kMaxPackets;

// Instead of a source number: the packet is in the subscriber's ring.
constexpr uint32_t kAlreadyNoted = UINT32_MAX;

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

DropReason dropReason(forward::Subscription::Verdict verdict) {
  switch (verdict) {
    case forward::Subscription::Verdict::kPaused:
      return DropReason::kPaused;
    case forward::Subscription::Verdict::kWaitingForKeyFrame:
      return DropReason::kWaitingForKeyFrame;
    case forward::Subscription::Verdict::kOtherEncoding:
      return DropReason::kOtherEncoding;
    case forward::Subscription::Verdict::kLate:
    case forward::Subscription::Verdict::kForward:
      break;
  }
  return DropReason::kLateForSwitch;
}

}  // namespace

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
  bool wantsKeyFrame = false;
  for (size_t i = 0; i < track.subscribers.size(); ++i) {
    prefetchAhead(track.subscribers, i);
    wantsKeyFrame = serve(*track.subscribers[i], nowUs) || wantsKeyFrame;
  }
  if (wantsKeyFrame) wantKeyFrame(track, track.encodings.preferred(), nowUs);
  track.queue.clear();
}

void FanOut::remember(Track& track) {
  const MediaKind kind = track.subscribers.front()->stream.spec().kind;
  for (const PacketRef& packet : track.queue) {
    (void)track.encodings.note(*packet);
    if (packet->encoding >= forward::Encodings::kMax) continue;
    while (track.histories.size() <= packet->encoding) track.histories.emplace_back(kind);
    track.histories[packet->encoding].put(packet);
  }
}

bool FanOut::serve(Subscriber& subscriber, TimeUs nowUs) {
  send::OutgoingStream& stream = subscriber.stream;
  const uint8_t preferred = subscriber.track->encodings.preferred();
  const std::string_view mid = midFor(subscriber);
  size_t count = 0;
  for (const PacketRef& packet : subscriber.track->queue) {
    const send::OutgoingStream::Form form = stream.form(*packet);
    if (form.format == nullptr) {
      counters_.drop(DropReason::kNoCommonFormat);
      continue;
    }
    forward::Subscription::Rewritten rewritten;
    const auto verdict = subscriber.subscription.consider(*packet, preferred, rewritten);
    if (verdict != forward::Subscription::Verdict::kForward) {
      counters_.drop(dropReason(verdict));
      continue;
    }
    send::Outgoing& out = batch_[count];
    out = {};
    out.packet = &*packet;
    out.seq = rewritten.seq;
    out.timestamp = rewritten.timestamp;
    out.ssrc = stream.ssrc();
    out.payloadType = form.format->payloadType;
    out.skip = form.skip;
    out.mid = mid;
    sources_[count++] = subscriber.subscription.sources();
  }
  if (count > 0) {
    const std::span<send::Outgoing> batch(batch_.data(), count);
    writer_.write(batch, *subscriber.transport, world_.datagrams(), nowUs, counters_);
    for (size_t i = 0; i < count; ++i) {
      if (!batch[i].sent) continue;
      stream.sent(*batch[i].packet, batch[i].seq, sources_[i], batch[i].stamp);
      noteSent(subscriber, batch[i], nowUs);
      counters_.add(Counter::kRtpForwarded);
    }
  }
  return subscriber.subscription.waitsForKeyFrame();
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
  const forward::Subscription& subscription = subscriber.subscription;
  send::ResendRing* ring = stream.ring();
  send::ResendRing::Answer answer;
  if (ring != nullptr) answer = ring->ask(wire, nowUs, rttUs);
  const bool unsent = answer.verdict == send::ResendRing::Verdict::kUnsent && subscription.flowing();
  if (unsent) {
    // It came before the packet at which this subscriber was let in, or the sink refused it. The history may have it.
    answer.in = answer.out - subscription.sequenceOffset();
    answer.source = static_cast<uint8_t>(subscription.sources() & 0x7F);
  }
  if (answer.verdict == send::ResendRing::Verdict::kTooOften) {
    counters_.drop(DropReason::kNackedTooOften);
    return false;
  }
  if ((answer.verdict != send::ResendRing::Verdict::kResend && !unsent) ||
      (unsent && answer.in < subscription.enteredAt())) {
    counters_.drop(DropReason::kNackedUnknown);
    return false;
  }

  const auto* source = subscription.sourceAt(answer.source);
  const PacketRef* packet = nullptr;
  if (source != nullptr && source->encoding < subscriber.track->histories.size()) {
    packet = subscriber.track->histories[source->encoding].find(source->ssrc, answer.in);
  }
  const auto form = packet == nullptr ? send::OutgoingStream::Form{} : stream.form(**packet);
  const send::OutgoingFormat* format = form.format;
  if (format == nullptr) {
    counters_.drop(DropReason::kNackedGone);
    return false;
  }
  send::Outgoing& out = batch_[slot] = {};
  out.packet = &**packet;
  out.timestamp = (*packet)->timestamp + source->timestampOffset;
  out.skip = form.skip;
  out.mid = midFor(subscriber);
  sources_[slot] = unsent ? subscription.sources() : kAlreadyNoted;
  if (stream.rtxSsrc() && format->rtxPayloadType) {
    out.repair = true;
    out.originalSeq = wire;
    out.seq = stream.takeRtxSeq();
    out.ssrc = *stream.rtxSsrc();
    out.payloadType = *format->rtxPayloadType;
    return true;
  }
  out.seq = answer.out;
  out.ssrc = stream.ssrc();
  out.payloadType = format->payloadType;
  if (!unsent) {
    // The same number under the same key must be the same bytes (RFC 7714 §8.1).
    out.asBefore = true;
    out.stamp = answer.stamp;
    out.mid = answer.stamp.withMid ? stream.wireMid() : std::string_view{};
  }
  return true;
}

void FanOut::flushResends(Subscriber& subscriber, size_t count, TimeUs nowUs) {
  if (count == 0) return;
  const std::span<send::Outgoing> batch(batch_.data(), count);
  writer_.write(batch, *subscriber.transport, world_.datagrams(), nowUs, counters_);
  for (size_t i = 0; i < count; ++i) {
    const send::Outgoing& out = batch[i];
    if (!out.sent) continue;
    noteSent(subscriber, out, nowUs);
    const SeqNo original = out.repair ? subscriber.stream.ring()->extend(out.originalSeq) : out.seq;
    if (sources_[i] != kAlreadyNoted) {
      subscriber.stream.ring()->sent(original, out.packet->seq, sources_[i], out.stamp);
    }
    subscriber.stream.resent(out.packet->payloadSize);
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
  if (track.keyFrameAskedAtUs != kNever && nowUs - track.keyFrameAskedAtUs < kAskOtherShardUs) return;
  track.keyFrameAskedAtUs = nowUs;
  if (!world_.post(static_cast<ShardIndex>(owner), KeyFrameWanted{track.key, encoding})) {
    counters_.drop(DropReason::kShardQueueFull);
  }
}

}  // namespace sluice
