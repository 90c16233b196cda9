#include "subscription.h"

#include <algorithm>

namespace sluice::forward {

namespace {

// A timestamp this far from where the clock should be is a new time line of the same source.
constexpr int64_t kMaxTimestampSkewSeconds = 5;

}  // namespace

void Subscription::setPaused(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  leaveSource();
}

bool Subscription::continues(const Packet& packet) const {
  const SeqNo ahead = packet.seq - highestIn_;
  return flowing_ && packet.ssrc == source_ && ahead <= kMaxGap && ahead >= -kMaxBehind;
}

Subscription::Verdict Subscription::consider(const Packet& packet, uint8_t preferred, Rewritten& out) {
  if (paused_) return Verdict::kPaused;
  if (continues(packet)) {
    if (packet.seq < enteredAt_) return Verdict::kLate;
    if (packet.encoding == preferred) waitsForKeyFrame_ = false;
    out = rewrite(packet);
    return Verdict::kForward;
  }
  const bool sameEncoding = packet.encoding == encoding_;
  if (packet.encoding != preferred && !(sameEncoding && flowing_)) return Verdict::kOtherEncoding;
  if (!packet.entryPoint) {
    waitsForKeyFrame_ = true;
    if (!flowing_) encoding_ = packet.encoding;
    // While another encoding still flows this one is only on its way.
    return flowing_ && !sameEncoding ? Verdict::kOtherEncoding : Verdict::kWaitingForKeyFrame;
  }
  enter(packet);
  out = rewrite(packet);
  return Verdict::kForward;
}

void Subscription::enter(const Packet& packet) {
  const bool first = sources_ == 0;
  // Where the subscriber's clock should stand now, judged by how long it is since the last packet.
  const int64_t elapsedUs = std::max<int64_t>(packet.receivedAtUs - lastSentAtUs_, 0);
  const auto elapsed = static_cast<uint32_t>(elapsedUs * packet.clockRateHz / kSecondUs);
  const uint32_t expected = lastTimestamp_ + std::max<uint32_t>(elapsed, 1);
  const auto skew = static_cast<int32_t>(packet.timestamp + timestampOffset_ - expected);
  const bool sameClock = packet.ssrc == source_ && skew < kMaxTimestampSkewSeconds * packet.clockRateHz &&
                         skew > -kMaxTimestampSkewSeconds * int64_t{packet.clockRateHz};
  if (!first && !sameClock) timestampOffset_ = expected - packet.timestamp;

  sequenceOffset_ = nextSeq_ - packet.seq;
  enteredAt_ = packet.seq;
  highestIn_ = packet.seq;
  source_ = packet.ssrc;
  encoding_ = packet.encoding;
  flowing_ = true;
  waitsForKeyFrame_ = false;
  ++sources_;
  recentSources_[sources_ % recentSources_.size()] = {source_, encoding_, timestampOffset_};
}

const Subscription::Source* Subscription::sourceAt(uint8_t number) const {
  const auto ago = static_cast<uint32_t>((sources_ - number) & 0x7F);
  return ago < recentSources_.size() && ago < sources_ ? &recentSources_[(sources_ - ago) % recentSources_.size()]
                                                       : nullptr;
}

Subscription::Rewritten Subscription::rewrite(const Packet& packet) {
  const Rewritten out{packet.seq + sequenceOffset_, packet.timestamp + timestampOffset_};
  if (out.seq >= nextSeq_) {
    nextSeq_ = out.seq + 1;
    highestIn_ = packet.seq;
    lastTimestamp_ = out.timestamp;
    lastSentAtUs_ = packet.receivedAtUs;
  }
  return out;
}

}  // namespace sluice::forward
