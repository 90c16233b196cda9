#include "subscriptions.h"

#include <algorithm>
#include <array>

#include "allotment.h"

namespace sluice {

void Subscriptions::leave(TimeUs nowUs) {
  for (auto& [ssrc, subscriber] : bySsrc_) detach(*subscriber, nowUs);
  bySsrc_.clear();
}

void Subscriptions::apply(std::span<const OutgoingTrackSpec> wanted, congestion::Estimator* estimator, TimeUs nowUs) {
  std::erase_if(bySsrc_, [&](auto& entry) {
    const auto named = [&](const OutgoingTrackSpec& o) { return o.ssrc == entry.first; };
    if (std::any_of(wanted.begin(), wanted.end(), named)) return false;
    end(*entry.second);
    detach(*entry.second, nowUs);
    return true;
  });
  for (const OutgoingTrackSpec& spec : wanted) {
    if (Subscriber* known = find(spec.ssrc)) {
      change(*known, spec, nowUs);
    } else {
      add(spec, estimator, nowUs);
    }
  }
}

void Subscriptions::forgetSent() {
  for (auto& [ssrc, subscriber] : bySsrc_) subscriber->stream.forgetSent();
}

Subscriber* Subscriptions::find(Ssrc ssrc) const {
  const auto it = bySsrc_.find(ssrc);
  return it == bySsrc_.end() ? nullptr : it->second.get();
}

void Subscriptions::add(const OutgoingTrackSpec& spec, congestion::Estimator* estimator, TimeUs nowUs) {
  const auto first = numbers_.begin(spec.ssrc, random());
  if (!first) return;  // another stream's retransmissions have this SSRC: a spec like that cannot be obeyed
  OutgoingTrackSpec mine = spec;
  SeqNo firstRtx = 0;
  mine.rtxSsrc = beginRtx(spec.rtxSsrc, firstRtx);
  Track& track = shard_.tracks.take(spec.track);
  auto subscriber = std::make_unique<Subscriber>(mine, track, transport_, random(), *first, firstRtx);
  subscriber->hold(false);
  subscriber->estimator = estimator;
  // Whoever allots has not been asked yet.
  if (estimator != nullptr) subscriber->allot({Allotment::kLeast, false});
  attach(*subscriber, track, nowUs);
  bySsrc_.emplace(spec.ssrc, std::move(subscriber));
}

void Subscriptions::change(Subscriber& subscriber, const OutgoingTrackSpec& spec, TimeUs nowUs) {
  if (subscriber.track->key != spec.track) {
    detach(subscriber, nowUs);
    subscriber.selector.leaveSource();
    subscriber.stream.forgetSent();
    attach(subscriber, shard_.tracks.take(spec.track), nowUs);
  }
  OutgoingTrackSpec mine = spec;
  const std::optional<Ssrc> rtxBefore = subscriber.stream.rtxSsrc();
  if (spec.rtxSsrc != rtxBefore) {
    if (rtxBefore) numbers_.end(*rtxBefore, subscriber.stream.rtxSeq());
    SeqNo firstRtx = 0;
    mine.rtxSsrc = beginRtx(spec.rtxSsrc, firstRtx);
    subscriber.stream.restartRtx(firstRtx);
  }
  subscriber.stream.apply(mine);
  const bool rested = subscriber.selector.paused();
  subscriber.hold(subscriber.held());
  weigh(subscriber, nowUs);
  if (rested && !subscriber.selector.paused()) wantKeyFrame(subscriber, nowUs);
}

void Subscriptions::attach(Subscriber& subscriber, Track& track, TimeUs nowUs) {
  subscriber.track = &track;
  track.subscribers.push_back(&subscriber);
  weigh(subscriber, nowUs);
  shard_.interests.add(track.key, nowUs);
  const OutgoingTrackSpec& spec = subscriber.stream.spec();
  if (spec.kind == MediaKind::kVideo && !spec.paused) wantKeyFrame(subscriber, nowUs);
}

void Subscriptions::wantKeyFrame(const Subscriber& subscriber, TimeUs nowUs) {
  Track& track = *subscriber.track;
  const uint8_t spatial = track.layers.pick(subscriber.selector.target().layer.spatial);
  shard_.fanOut.wantKeyFrame(track, track.layers.simulcast() ? spatial : uint8_t{0}, nowUs);
}

void Subscriptions::detach(Subscriber& subscriber, TimeUs nowUs) {
  Track& track = *subscriber.track;
  const auto at = std::find(track.subscribers.begin(), track.subscribers.end(), &subscriber);
  if (at != track.subscribers.end()) {
    *at = track.subscribers.back();
    track.subscribers.pop_back();
  }
  shard_.interests.remove(track.key, nowUs);
  shard_.tracks.release(track.key);
}

void Subscriptions::end(const Subscriber& subscriber) {
  numbers_.end(subscriber.stream.ssrc(), subscriber.selector.nextSeq());
  if (subscriber.stream.rtxSsrc()) numbers_.end(*subscriber.stream.rtxSsrc(), subscriber.stream.rtxSeq());
}

// The retransmission stream's SSRC, or none when another stream has it: then packets are resent as they were.
std::optional<Ssrc> Subscriptions::beginRtx(std::optional<Ssrc> ssrc, SeqNo& first) {
  if (!ssrc) return {};
  const auto begun = numbers_.begin(*ssrc, random());
  if (!begun) return {};
  first = *begun;
  return ssrc;
}

uint64_t Subscriptions::random() {
  std::array<uint8_t, 8> bytes{};
  shard_.world.random(bytes);
  return readU64(bytes.data());
}

}  // namespace sluice
