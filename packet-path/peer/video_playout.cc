#include "video_playout.h"

#include <algorithm>

namespace sluice::peer {

namespace {

constexpr int64_t kTicksPerMs = 90;
// A timestamp that jumps by more has another time line.
constexpr int64_t kMaxTimestampJump = 60 * 1'000 * kTicksPerMs;
// How fast the buffer gets smaller when frames come sooner than it waits: by so much of the difference a frame.
constexpr TimeUs kBufferDecay = 150;
// And how fast the path's fastest transit is forgotten, a frame: 1 ms in 2 s at 30 fps.
constexpr TimeUs kTransitDriftUs = 17;
// A browser's buffer waits no longer, however late frames come.
constexpr TimeUs kMaxBufferUs = kSecondUs;

}  // namespace

const VideoPlayout::Slot* VideoPlayout::find(SeqNo seq) const {
  const Slot& s = slots_[static_cast<uint64_t>(seq) & (slots_.size() - 1)];
  return s.seq == seq ? &s : nullptr;
}

void VideoPlayout::growTo(SeqNo distance) {
  size_t size = slots_.size();
  while (static_cast<SeqNo>(size) <= distance) size *= 2;
  if (size == slots_.size()) return;
  std::vector<Slot> before(size);
  before.swap(slots_);
  for (const Slot& s : before) {
    if (s.seq != kNone) slot(s.seq) = s;
  }
}

void VideoPlayout::put(const Packet& packet) {
  Slot& s = slot(packet.seq);
  s.seq = packet.seq;
  s.timestamp = packet.timestamp;
  s.entry = packet.entryPoint && packet.payloadSize > 0;
  s.marker = packet.marker;
  s.empty = packet.payloadSize == 0;
  const auto mark = readMark(packet.payload());
  s.marked = mark.has_value();
  if (mark) s.mark = *mark;
}

bool VideoPlayout::receive(const Packet& packet, TimeUs clockOffsetUs, TimeUs nowUs) {
  const SeqNo seq = packet.seq;
  highest_ = std::max(highest_, seq);
  if (next_ != kNone && seq < next_) return false;                          // of a frame that was given up
  if (next_ != kNone && highest_ - next_ >= kMaxWaiting) giveUp(highest_);  // what is missing will never come
  const bool entry = packet.entryPoint && packet.payloadSize > 0;
  if (entry) keyFrame_ = std::max(keyFrame_, seq);
  if (next_ == kNone && highest_ - keyFrame_ >= kMaxWaiting) keyFrame_ = kNone;
  const SeqNo oldest = next_ != kNone ? next_ : keyFrame_ != kNone ? keyFrame_ : highest_;
  growTo(highest_ - oldest);
  put(packet);
  if (next_ == kNone || seq > contiguous_) {
    const SeqNo key = keyFrameAround(seq);
    if (key != kNone) {
      giveUp(key);
      next_ = contiguous_ = key;
    }
  }
  if (next_ != kNone) advance(clockOffsetUs, nowUs);
  return next_ == kNone && keyFrame_ == kNone;
}

// Whatever waits before `end` is never shown.
void VideoPlayout::giveUp(SeqNo end) {
  for (SeqNo seq = next_; next_ != kNone && seq < end; ++seq) {
    const Slot* s = find(seq);
    if (s != nullptr && s->marker) ++totals_.framesDropped;
  }
  next_ = contiguous_ = kNone;
}

// The first packet of a complete key frame to which `seq` belongs.
SeqNo VideoPlayout::keyFrameAround(SeqNo seq) const {
  const Slot* at = find(seq);
  if (at == nullptr || at->empty) return kNone;
  const uint32_t timestamp = at->timestamp;
  SeqNo first = seq;
  while (!at->entry) {
    at = find(--first);
    if (at == nullptr || at->timestamp != timestamp) return kNone;
  }
  for (SeqNo last = seq;; ++last) {
    at = find(last);
    if (at == nullptr || at->timestamp != timestamp) return kNone;
    if (at->marker) return first;
  }
}

void VideoPlayout::advance(TimeUs clockOffsetUs, TimeUs nowUs) {
  for (const Slot* s = find(contiguous_); s != nullptr; s = find(contiguous_)) {
    if (s->empty && contiguous_ == next_) {
      next_ = ++contiguous_;
      continue;
    }
    if (!s->empty && s->timestamp != slot(next_).timestamp) {
      // The frame before it has no end and never will: a forwarder stopped in the middle of it.
      ++totals_.framesDropped;
      if (!s->entry) return giveUp(contiguous_);
      next_ = contiguous_;
    }
    ++contiguous_;
    if (s->marker) {
      decode(next_, contiguous_ - 1, clockOffsetUs, nowUs);
      next_ = contiguous_;
    }
  }
}

void VideoPlayout::decode(SeqNo first, SeqNo last, TimeUs clockOffsetUs, TimeUs nowUs) {
  const Slot& s = slot(first);
  ++totals_.framesDecoded;
  if (s.entry) ++totals_.keyFrames;
  if (s.marked) {
    noteMark(s.mark);
    delays_.add(nowUs + clockOffsetUs - s.mark.sentAtUs);
  }
  show(showAt(slot(last).timestamp, nowUs));
}

void VideoPlayout::noteMark(const Mark& mark) {
  const bool same = hasMark_ && mark.source == totals_.source && mark.encoding == totals_.encoding;
  const bool follows = same && mark.frame > lastMarkedFrame_;
  if (mark.reference == 0) {
    decoded_.fill(0);
  } else if (!same || std::find(decoded_.begin(), decoded_.end(), mark.reference) == decoded_.end()) {
    ++totals_.brokenReferences;
  }
  totals_.framesSent += follows ? mark.frame - lastMarkedFrame_ : 1;
  if (hasMark_ && !same) ++totals_.encodingSwitches;
  std::rotate(decoded_.begin(), decoded_.end() - 1, decoded_.end());
  decoded_.front() = mark.frame;
  hasMark_ = true;
  lastMarkedFrame_ = mark.frame;
  totals_.source = mark.source;
  totals_.encoding = mark.encoding;
}

// When a frame that is complete now is shown: in step with its timestamps, late enough for the slower frames.
TimeUs VideoPlayout::showAt(uint32_t timestamp, TimeUs nowUs) {
  const int64_t extended = started_ ? extendTimestamp(timestamp, lastTimestamp_) : timestamp;
  const TimeUs mediaUs = extended * kMillisecondUs / kTicksPerMs;
  const TimeUs transitUs = nowUs - mediaUs;
  const bool jumped = std::abs(extended - lastTimestamp_) > kMaxTimestampJump;
  lastTimestamp_ = extended;
  if (!started_ || jumped) {
    started_ = true;
    leastTransitUs_ = transitUs;
    bufferUs_ = 0;
    return nowUs;
  }
  leastTransitUs_ = std::min(leastTransitUs_ + kTransitDriftUs, transitUs);
  const TimeUs lateUs = std::min(transitUs - leastTransitUs_, kMaxBufferUs);
  bufferUs_ = lateUs > bufferUs_ ? lateUs : bufferUs_ - (bufferUs_ - lateUs) / kBufferDecay;
  return std::max(nowUs, mediaUs + leastTransitUs_ + bufferUs_);
}

void VideoPlayout::show(TimeUs atUs) {
  if (totals_.firstFrameUs == kNever) {
    totals_.firstFrameUs = totals_.lastFrameUs = atUs;
    resting_ = false;
    return;
  }
  atUs = std::max(atUs, totals_.lastFrameUs);
  const TimeUs gapUs = atUs - totals_.lastFrameUs;
  totals_.lastFrameUs = atUs;
  if (std::exchange(resting_, false)) return;
  totals_.longestGapUs = std::max(totals_.longestGapUs, gapUs);
  if (isFreeze(gapUs)) {
    ++totals_.freezes;
    totals_.frozenUs += gapUs;
  }
  TimeUs& place = intervals_[intervalCount_ % kMeanFrames];
  intervalSumUs_ += gapUs - (intervalCount_ < kMeanFrames ? 0 : place);
  place = gapUs;
  ++intervalCount_;
}

TimeUs VideoPlayout::freezeThresholdUs() const {
  const auto count = static_cast<TimeUs>(std::min(intervalCount_, kMeanFrames));
  const TimeUs meanUs = intervalSumUs_ / count;
  return std::max(static_cast<TimeUs>(kFreezeFactor) * meanUs, meanUs + kFreezeUs);
}

bool VideoPlayout::isFreeze(TimeUs gapUs) const {
  return intervalCount_ >= kMinFrames && gapUs >= freezeThresholdUs();
}

VideoTotals VideoPlayout::totals(TimeUs nowUs) const {
  VideoTotals now = totals_;
  if (resting_ || now.lastFrameUs == kNever) return now;
  const TimeUs gapUs = nowUs - now.lastFrameUs;
  now.longestGapUs = std::max(now.longestGapUs, gapUs);
  if (isFreeze(gapUs)) {
    ++now.freezes;
    now.frozenUs += gapUs;
  }
  return now;
}

}  // namespace sluice::peer
