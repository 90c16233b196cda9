#include "video_source.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sluice::peer {

namespace {

constexpr uint32_t kClockRateHz = 90'000;
// Three seconds at 1.5 Mbit/s, one at 5: what receivers still ask for.
constexpr size_t kHistoryPackets = 512;
// A key frame costs about as much as so many others; it is paid back within so many frames.
constexpr double kKeyFrameWeight = 4;
constexpr double kRepaymentFrames = 15;
// What an encoder's rate control leaves of variation.
constexpr double kLeastVariation = 0.75;
constexpr double kMostVariation = 1.25;
constexpr size_t kMinFrameBytes = kVp8FrontBytes + kMarkBytes;
// Frames that were missed by a driver that came too late are not made up for.
constexpr TimeUs kMaxLagUs = 100 * kMillisecondUs;

struct Layer {
  uint8_t temporalLayer;
  double weight;  ///< of a frame's bytes
  bool sync;      ///< predicted from the base layer alone
  bool droppable;
};

// L1T1, L1T2, L1T3 as libwebrtc's encoders make them, with their usual shares of the bitrate (60/40 and 40/20/40).
constexpr std::array<Layer, 1> kOneLayer{{{0, 1.0, false, false}}};
constexpr std::array<Layer, 2> kTwoLayers{{{0, 1.2, false, false}, {1, 0.8, true, true}}};
constexpr std::array<Layer, 4> kThreeLayers{
    {{0, 1.6, false, false}, {2, 0.8, true, true}, {1, 0.8, true, false}, {2, 0.8, false, true}}};

std::span<const Layer> patternOf(uint8_t temporalLayers) {
  if (temporalLayers >= 3) return kThreeLayers;
  if (temporalLayers == 2) return kTwoLayers;
  return kOneLayer;
}

}  // namespace

VideoSource::VideoSource(const VideoSourceSpec& spec, uint64_t seed, TimeUs nowUs)
    : id_(spec.encodings.empty() ? 0 : spec.encodings.front().ssrc),
      variation_(seed),
      timestampOffset_(static_cast<uint32_t>(variation_.next())) {
  apply(spec, nowUs);
  // Cameras are not in step.
  if (nextFrameUs_ != kNever) {
    nextFrameUs_ += static_cast<TimeUs>(variation_.unit() * kSecondUs / std::max<uint8_t>(1, spec.framesPerSecond));
  }
}

void VideoSource::apply(const VideoSourceSpec& spec, TimeUs nowUs) {
  std::vector<Encoding> before = std::move(encodings_);
  encodings_.clear();
  for (const EncodingSpec& wanted : spec.encodings) {
    const auto known =
        std::find_if(before.begin(), before.end(), [&wanted](const Encoding& e) { return e.spec.ssrc == wanted.ssrc; });
    if (known != before.end()) {
      if (!known->spec.active && wanted.active) known->keyFrameWanted = true;
      known->spec = wanted;
      encodings_.push_back(std::move(*known));
      continue;
    }
    OutgoingRtp::Config config{wanted.ssrc, wanted.rtxSsrc, spec.rtxPayloadType, spec.mid,
                               wanted.rid,  kClockRateHz,   kHistoryPackets};
    const auto random = variation_.next();
    encodings_.emplace_back(
        wanted, OutgoingRtp(std::move(config), static_cast<uint16_t>(random), static_cast<uint16_t>(random >> 16)));
    encodings_.back().totals.ssrc = wanted.ssrc;
    encodings_.back().pictureId = static_cast<uint16_t>(random >> 32 & 0x7FFF);
    encodings_.back().tl0PictureIndex = static_cast<uint8_t>(random >> 48);
  }
  spec_ = spec;
  spec_.framesPerSecond = std::max<uint8_t>(1, spec.framesPerSecond);
  share();
  if (spec.muted) {
    nextFrameUs_ = kNever;
  } else if (nextFrameUs_ == kNever) {
    nextFrameUs_ = nowUs;
  }
}

void VideoSource::setTarget(uint64_t bitsPerSecond) {
  target_ = bitsPerSecond;
  share();
}

void VideoSource::share() {
  uint64_t left = target_;
  for (Encoding& e : encodings_) {
    const bool sent = e.spec.active && left >= e.spec.minBitsPerSecond;
    const auto bits = sent ? static_cast<uint32_t>(std::min<uint64_t>(left, e.spec.maxBitsPerSecond)) : 0;
    if (bits > 0 && e.totals.bitsPerSecond == 0) e.keyFrameWanted = true;
    e.totals.bitsPerSecond = bits;
    left -= bits;
  }
}

void VideoSource::onDeadline(TimeUs nowUs, SourceContext context) {
  if (nowUs < nextFrameUs_) return;
  for (size_t i = 0; i < encodings_.size(); ++i) {
    if (encodings_[i].totals.bitsPerSecond > 0) frame(encodings_[i], i, nowUs, context);
  }
  nextFrameUs_ += kSecondUs / spec_.framesPerSecond;
  if (nextFrameUs_ < nowUs - kMaxLagUs) nextFrameUs_ = nowUs;
}

void VideoSource::frame(Encoding& e, size_t index, TimeUs nowUs, SourceContext& context) {
  const bool mayKeyFrame = e.keyFrameAtUs == kNever || nowUs - e.keyFrameAtUs >= kMinKeyFrameIntervalUs;
  Vp8Frame frame;
  frame.keyFrame = e.totals.frames == 0 || (e.keyFrameWanted && mayKeyFrame);
  if (frame.keyFrame) {
    e.keyFrameWanted = false;
    e.keyFrameAtUs = nowUs;
    e.sinceKeyFrame = 0;
    ++e.totals.keyFrames;
  }
  const auto pattern = patternOf(spec_.temporalLayers);
  const Layer& layer = pattern[e.sinceKeyFrame++ % pattern.size()];
  const uint32_t number = ++e.totals.frames;
  const bool base = layer.temporalLayer == 0;
  if (base) ++e.tl0PictureIndex;
  frame.layered = pattern.size() > 1;
  frame.droppable = layer.droppable;
  frame.temporalLayer = layer.temporalLayer;
  frame.layerSync = layer.sync;
  frame.tl0PictureIndex = e.tl0PictureIndex;
  frame.pictureId = e.pictureId++;
  frame.width = e.spec.width;
  frame.height = e.spec.height;

  Mark mark;
  mark.source = id_;
  mark.frame = number;
  mark.reference = frame.keyFrame ? 0 : base || layer.sync ? e.lastBase : e.lastMiddle;
  mark.sentAtUs = nowUs + context.clockOffsetUs;
  mark.encoding = static_cast<uint8_t>(index);
  mark.temporalLayer = layer.temporalLayer;
  if (base) e.lastBase = number;
  if (!layer.droppable) e.lastMiddle = number;
  packetize(e, frame, mark, frameBytes(e, frame.keyFrame, layer.weight), context, nowUs);
}

size_t VideoSource::frameBytes(Encoding& e, bool keyFrame, double weight) {
  const double mean = e.totals.bitsPerSecond / 8.0 / spec_.framesPerSecond;
  const double varied = mean * variation_.between(kLeastVariation, kMostVariation);
  if (keyFrame) {
    e.debtBytes += varied * (kKeyFrameWeight - 1);
    return std::max(kMinFrameBytes, static_cast<size_t>(varied * kKeyFrameWeight));
  }
  const double repaid = std::min(e.debtBytes, varied * weight * kKeyFrameWeight / (kRepaymentFrames + kKeyFrameWeight));
  e.debtBytes -= repaid;
  return std::max(kMinFrameBytes, static_cast<size_t>(varied * weight - repaid));
}

void VideoSource::packetize(Encoding& e, Vp8Frame& frame, Mark mark, size_t bytes, SourceContext& context,
                            TimeUs nowUs) {
  // Equal parts, as libwebrtc's packetizer makes them.
  const size_t parts = std::clamp<size_t>((bytes + OutgoingRtp::kMaxPayloadBytes - 1) / OutgoingRtp::kMaxPayloadBytes,
                                          1, kHistoryPackets / 2);
  const size_t partBytes = std::clamp(bytes / parts, kMinFrameBytes, OutgoingRtp::kMaxPayloadBytes);
  mark.parts = static_cast<uint8_t>(std::min<size_t>(parts, UINT8_MAX));
  std::array<uint8_t, OutgoingRtp::kMaxPayloadBytes> payload{};
  burst_.clear();
  for (size_t part = 0; part < parts; ++part) {
    (void)writeVp8Front(frame, part == 0, payload);
    mark.part = static_cast<uint8_t>(std::min<size_t>(part, UINT8_MAX));
    writeMark(mark, MutableBytes(payload).subspan(partBytes - kMarkBytes, kMarkBytes));
    const OutgoingRtp::Fields fields{spec_.payloadType, part + 1 == parts, timestamp(nowUs), std::nullopt};
    burst_.push_back(e.rtp.write(fields, Bytes(payload).first(partBytes), context.transport));
  }
  context.out.sendRtp(burst_);
}

void VideoSource::wantKeyFrame(Ssrc ssrc) {
  for (Encoding& e : encodings_) {
    if (e.spec.ssrc != ssrc) continue;
    e.keyFrameWanted = true;
    ++e.totals.keyFramesAsked;
  }
}

OutgoingRtp* VideoSource::find(Ssrc ssrc) {
  for (Encoding& e : encodings_) {
    if (e.spec.ssrc == ssrc) return &e.rtp;
  }
  return nullptr;
}

uint32_t VideoSource::timestamp(TimeUs nowUs) const {
  return timestampOffset_ + static_cast<uint32_t>(static_cast<uint64_t>(nowUs) * 9 / 100);
}

}  // namespace sluice::peer
