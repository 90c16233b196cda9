#include "audio_source.h"

#include <algorithm>
#include <array>

namespace sluice::peer {

namespace {

constexpr uint32_t kClockRateHz = 48'000;
// Two seconds and a half: audio that is later helps nobody.
constexpr size_t kHistoryPackets = 128;
// RFC 6716 §3.1: CELT, fullband, 20 ms, mono, one frame.
constexpr uint8_t kOpusToc = 31 << 3;
constexpr size_t kMinFrameBytes = 1 + kMarkBytes;
// RFC 2198 §3: 10 bits of length and 14 of timestamp offset.
constexpr size_t kMaxRedundantBytes = 1'023;
constexpr uint32_t kMaxRedundantTicks = 16'383;
constexpr size_t kRedundantHeaderBytes = 4;
constexpr TimeUs kMaxLagUs = 100 * kMillisecondUs;

OutgoingRtp makeRtp(const AudioSourceSpec& spec, uint64_t random) {
  OutgoingRtp::Config config{spec.ssrc, std::nullopt, std::nullopt, spec.mid, {}, kClockRateHz, kHistoryPackets};
  return {std::move(config), static_cast<uint16_t>(random), 0};
}

}  // namespace

AudioSource::AudioSource(const AudioSourceSpec& spec, uint64_t seed, TimeUs nowUs)
    : variation_(seed),
      rtp_(makeRtp(spec, variation_.next())),
      timestampOffset_(static_cast<uint32_t>(variation_.next())) {
  apply(spec, nowUs + static_cast<TimeUs>(variation_.unit() * static_cast<double>(kFrameUs)));
}

void AudioSource::apply(const AudioSourceSpec& spec, TimeUs nowUs) {
  spec_ = spec;
  if (spec.muted) {
    nextFrameUs_ = kNever;
    before_.clear();
  } else if (nextFrameUs_ == kNever) {
    nextFrameUs_ = nowUs;
  }
}

void AudioSource::onDeadline(TimeUs nowUs, SourceContext context) {
  if (nowUs < nextFrameUs_) return;
  const double mean = spec_.bitsPerSecond / 8.0 / 50;
  const auto varied = static_cast<size_t>(mean * variation_.between(0.9, 1.1));
  const size_t bytes = std::clamp(varied, kMinFrameBytes, OutgoingRtp::kMaxPayloadBytes / 2 - kRedundantHeaderBytes);
  std::array<uint8_t, OutgoingRtp::kMaxPayloadBytes> frame{};
  frame[0] = kOpusToc;
  Mark mark;
  mark.source = spec_.ssrc;
  mark.frame = ++frame_;
  mark.sentAtUs = nowUs + context.clockOffsetUs;
  writeMark(mark, MutableBytes(frame).subspan(bytes - kMarkBytes, kMarkBytes));

  // Sampled in step, however late this is called.
  const uint32_t at = timestamp(nextFrameUs_);
  const Bytes opus = Bytes(frame).first(bytes);
  const Bytes payload = spec_.redPayloadType ? redundant(opus, at) : opus;
  const OutgoingRtp::Fields fields{spec_.redPayloadType.value_or(spec_.payloadType), false, at, spec_.level};
  const Bytes packet = rtp_.write(fields, payload, context.transport);
  context.out.sendRtp(std::span(&packet, 1));

  nextFrameUs_ += kFrameUs;
  if (nextFrameUs_ < nowUs - kMaxLagUs) nextFrameUs_ = nowUs;
}

Bytes AudioSource::redundant(Bytes frame, uint32_t timestamp) {
  red_.clear();
  const uint32_t ticks = timestamp - beforeTimestamp_;
  const bool withBefore = !before_.empty() && before_.size() <= kMaxRedundantBytes && ticks <= kMaxRedundantTicks;
  if (withBefore) {
    red_.resize(kRedundantHeaderBytes);
    red_[0] = static_cast<uint8_t>(0x80 | spec_.payloadType);
    writeU24(red_.data() + 1, ticks << 10 | static_cast<uint32_t>(before_.size()));
  }
  red_.push_back(spec_.payloadType);
  if (withBefore) red_.insert(red_.end(), before_.begin(), before_.end());
  red_.insert(red_.end(), frame.begin(), frame.end());
  before_.assign(frame.begin(), frame.end());
  beforeTimestamp_ = timestamp;
  return red_;
}

uint32_t AudioSource::timestamp(TimeUs nowUs) const {
  return timestampOffset_ + static_cast<uint32_t>(static_cast<uint64_t>(nowUs) * 6 / 125);
}

}  // namespace sluice::peer
