#include "layer_gate.h"

#include <algorithm>
#include <bit>

namespace sluice::forward {

void LayerGate::leave() {
  intact_ = 0;
  target_ = goal_ = kNoTarget;
  targetsId_ = UINT32_MAX;
  wantsKeyFrame_ = false;
  newestFrame_ = INT64_MIN;
  forwarded_ = {};
  dropped_ = {};
}

bool LayerGate::next(const FrameInfo& packet, int64_t place, bool gap, LayerTarget target) {
  const bool forward = decide(packet, place, gap, target);
  if (forward && announcing_) tellOn(packet, place);
  return forward;
}

// A new set of active targets is told until the end of a frame in whose loss a receiver notices at once (A.4).
void LayerGate::tellOn(const FrameInfo& packet, int64_t place) {
  if (announcedFrameSet_ && packet.frame != announcedFrame_) {
    newest().announceUntil = place;
    announcing_ = false;
  } else if (!announcedFrameSet_ && packet.starts && (packet.essential & only(target_)) != 0) {
    announcedFrameSet_ = true;
    announcedFrame_ = packet.frame;
  }
}

bool LayerGate::decide(const FrameInfo& packet, int64_t place, bool gap, LayerTarget target) {
  const bool other = packet.targets->id != targetsId_;
  if (packet.starts || packet.key) {
    if (other) {
      // Other decode targets: none of the old ones means anything any more.
      intact_ = 0;
      target_ = kNoTarget;
      targetsId_ = packet.targets->id;
      goal_ = kNoTarget;
    } else if (gap) {
      // Frames that were never seen may come yet. They will be forwarded as far as the followed target has them.
      intact_ &= target_ == kNoTarget ? 0 : packet.targets->contained[target_] | only(target_);
    }
    aim(packet, target);
    const bool enters = decodable(packet);
    const TargetIndex chosen = choose(packet, intact_ | (enters ? packet.switches : 0), target);
    if (chosen != target_) follow(packet, chosen, place);
    wantsKeyFrame_ =
        target_ == kNoTarget || packet.targets->layers[target_].spatial != packet.targets->layers[goal_].spatial;
  } else if (other) {
    return false;
  }
  bool forward = (packet.present & only(target_)) != 0;
  if (forward && !packet.key && refersToDropped(packet)) {
    // What it tells and what it needs do not agree. The target is lost until it can be entered again.
    forward = false;
    intact_ &= ~only(target_);
  }
  note(packet, forward, true);
  return forward;
}

bool LayerGate::late(const FrameInfo& packet, int64_t place) {
  const Stretch* stretch = stretchAt(place);
  if (stretch == nullptr || stretch->targetsId != packet.targets->id) return false;
  bool forward = (packet.present & only(stretch->target)) != 0;
  if (forward && !packet.key && refersToDropped(packet)) forward = false;
  note(packet, forward, false);
  return forward;
}

// The goal is looked up again only when something that it depends on has changed.
void LayerGate::aim(const FrameInfo& frame, LayerTarget target) {
  const DecodeTargets& targets = *frame.targets;
  if (goal_ != kNoTarget && target == aimedAt_ && targets.available == aimedAvailable_) return;
  goal_ = targets.best(target.layer);
  aimedAt_ = target;
  aimedAvailable_ = targets.available;
  if (goal_ == kNoTarget) goal_ = 0;  // nothing is available: the sender contradicts itself
  goalLayer_ = targets.layers[goal_];
}

bool LayerGate::decodable(const FrameInfo& frame) const {
  if (frame.key) return true;
  if ((frame.needs & ~intact_) != 0) return false;
  for (const uint16_t diff : frame.referenced()) {
    if (!isIn(forwarded_, frame.frame - diff)) return false;
  }
  return true;
}

bool LayerGate::refersToDropped(const FrameInfo& frame) const {
  for (const uint16_t diff : frame.referenced()) {
    if (isIn(dropped_, frame.frame - diff)) return true;
  }
  return false;
}

TargetIndex LayerGate::choose(const FrameInfo& frame, Targets candidates, LayerTarget target) const {
  if ((candidates & only(goal_)) != 0) return goal_;
  const auto& layers = frame.targets->layers;
  const Layer wanted = layers[goal_];
  TargetIndex best = kNoTarget;
  for (Targets rest = candidates; rest != 0; rest &= rest - 1) {
    const auto i = static_cast<TargetIndex>(std::countr_zero(rest));
    if (layers[i].within(wanted) && (best == kNoTarget || layers[best] < layers[i])) best = i;
  }
  if (best != kNoTarget) return best;
  if (target_ == kNoTarget || (candidates & only(target_)) == 0) {
    // Nothing that is wanted can be had, and nothing is followed: the least that can, until a key frame comes.
    for (Targets rest = candidates; rest != 0; rest &= rest - 1) {
      const auto i = static_cast<TargetIndex>(std::countr_zero(rest));
      if (best == kNoTarget || layers[i] < layers[best]) best = i;
    }
    return best;
  }
  // The way down needs a key frame. Until it comes the picture stays as large, but frames can be left out.
  const uint8_t most = target.inHaste ? 0 : wanted.temporal;
  best = target_;
  for (Targets rest = candidates; rest != 0; rest &= rest - 1) {
    const auto i = static_cast<TargetIndex>(std::countr_zero(rest));
    if (layers[i].spatial != layers[target_].spatial) continue;
    const bool betterFit = layers[best].temporal > most
                               ? layers[i].temporal < layers[best].temporal
                               : layers[i].temporal <= most && layers[i].temporal > layers[best].temporal;
    if (betterFit) best = i;
  }
  return best;
}

void LayerGate::follow(const FrameInfo& frame, TargetIndex target, int64_t place) {
  const DecodeTargets& targets = *frame.targets;
  target_ = target;
  if (announcing_) newest().announceUntil = place;
  Stretch s;
  s.from = place;
  s.announceUntil = INT64_MAX;
  s.targetsId = targets.id;
  s.target = target;
  if (target != kNoTarget) s.layer = targets.layers[target];
  if (targets.described) {
    s.described = targets.count;
    s.forwarded = static_cast<wire::TargetSet>(target == kNoTarget ? 0 : targets.contained[target] | only(target));
    s.active = static_cast<wire::TargetSet>(targets.available) & s.forwarded;
  }
  ++stretchCount_;
  newest() = s;
  // A structure that comes along implies that all targets are active.
  announcing_ = targets.described && !(frame.key && s.active == targets.available);
  if (!announcing_) newest().announceUntil = place;
  announcedFrameSet_ = false;
}

void LayerGate::note(const FrameInfo& frame, bool forwarded, bool inOrder) {
  if (forwarded) {
    if (inOrder && decodable(frame)) intact_ |= frame.switches;
  } else if (frame.targets->id == targetsId_) {
    intact_ &= ~(frame.present & ~frame.discardable);
  }
  if (frame.targets->described) put(frame.frame, forwarded);
}

const LayerGate::Stretch* LayerGate::stretchAt(int64_t place) const {
  const uint32_t kept = std::min<uint32_t>(stretchCount_, static_cast<uint32_t>(stretches_.size()));
  for (uint32_t ago = 0; ago < kept; ++ago) {
    const Stretch& s = stretches_[(stretchCount_ - ago) % stretches_.size()];
    if (s.from <= place) return &s;
  }
  return nullptr;
}

std::optional<Layer> LayerGate::current() const {
  if (target_ == kNoTarget) return {};
  return newest().layer;
}

std::optional<Layer> LayerGate::layerAt(int64_t place) const {
  const Stretch* s = stretchAt(place);
  if (s == nullptr || s->target == kNoTarget) return {};
  return s->layer;
}

std::optional<Layer> LayerGate::goal() const {
  if (goal_ == kNoTarget) return {};
  return goalLayer_;
}

LayerGate::Announcement LayerGate::announcement(int64_t place) const {
  const Stretch* s = stretchAt(place);
  if (s == nullptr || s->described == 0) return {};
  return {s->described, place < s->announceUntil, s->forwarded, s->active};
}

bool LayerGate::isIn(const FrameSet& set, int64_t frame) const {
  if (frame > newestFrame_ || frame <= newestFrame_ - static_cast<int64_t>(kFrames)) return false;
  const auto n = static_cast<uint64_t>(frame);
  return (set[n / 64 % set.size()] >> (n % 64) & 1) != 0;
}

void LayerGate::put(int64_t frame, bool forwarded) {
  if (newestFrame_ == INT64_MIN || frame - newestFrame_ >= static_cast<int64_t>(kFrames)) {
    forwarded_ = {};
    dropped_ = {};
    newestFrame_ = frame;
  }
  if (frame <= newestFrame_ - static_cast<int64_t>(kFrames)) return;
  for (; newestFrame_ < frame; ++newestFrame_) {
    const auto n = static_cast<uint64_t>(newestFrame_ + 1);
    forwarded_[n / 64 % forwarded_.size()] &= ~(uint64_t{1} << (n % 64));
    dropped_[n / 64 % dropped_.size()] &= ~(uint64_t{1} << (n % 64));
  }
  const auto n = static_cast<uint64_t>(frame);
  FrameSet& set = forwarded ? forwarded_ : dropped_;
  set[n / 64 % set.size()] |= uint64_t{1} << (n % 64);
}

}  // namespace sluice::forward
