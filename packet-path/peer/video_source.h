// A camera with its VP8 encoder, as far as the network sees it: frames of the sizes that an encoder's rate control
// makes, in packets that a forwarder can read, with references that a sink can check.
#pragma once

#include <vector>

#include "mark.h"
#include "media_spec.h"
#include "outgoing_rtp.h"
#include "variation.h"
#include "vp8_payload.h"

namespace sluice::peer {

/// What a source's streams share with the others of their client.
struct SourceContext {
  OutgoingTransport& transport;
  MediaOut& out;
  /// Added to the driver's time where others see it: reports, and when a packet was sent.
  TimeUs clockOffsetUs = 0;
};

class VideoSource {
 public:
  /// An encoder makes no more key frames than this, however often it is asked (libwebrtc's kMinKeyFrameInterval).
  static constexpr TimeUs kMinKeyFrameIntervalUs = 300 * kMillisecondUs;

  VideoSource(const VideoSourceSpec& spec, uint64_t seed, TimeUs nowUs);
  /// Takes over a changed spec. Encodings are known by their SSRC.
  void apply(const VideoSourceSpec& spec, TimeUs nowUs);
  /// What the network carries: encodings get their share from the lowest up, or nothing.
  void setTarget(uint64_t bitsPerSecond);

  [[nodiscard]] TimeUs nextDeadline() const { return nextFrameUs_; }
  void onDeadline(TimeUs nowUs, SourceContext context);

  void wantKeyFrame(Ssrc ssrc);
  [[nodiscard]] OutgoingRtp* find(Ssrc ssrc);
  [[nodiscard]] uint32_t timestamp(TimeUs nowUs) const;

  struct EncodingTotals {
    Ssrc ssrc = 0;
    uint32_t frames = 0;
    uint32_t keyFrames = 0;
    uint32_t keyFramesAsked = 0;
    uint32_t bitsPerSecond = 0;  ///< allotted now; 0: not sent
  };
  [[nodiscard]] Ssrc id() const { return id_; }
  /// Calls `use(totals, rtp)` for each encoding.
  template <typename Use>
  void each(Use&& use) const {
    for (const Encoding& e : encodings_) use(e.totals, e.rtp);
  }

 private:
  struct Encoding {
    Encoding(EncodingSpec itsSpec, OutgoingRtp itsRtp) : spec(std::move(itsSpec)), rtp(std::move(itsRtp)) {}
    EncodingSpec spec;
    OutgoingRtp rtp;
    EncodingTotals totals;
    bool keyFrameWanted = true;
    TimeUs keyFrameAtUs = kNever;
    uint32_t sinceKeyFrame = 0;
    uint32_t lastBase = 0;    ///< frame number of the last of the base layer
    uint32_t lastMiddle = 0;  ///< and of the middle one
    uint16_t pictureId = 0;
    uint8_t tl0PictureIndex = 0;
    double debtBytes = 0;  ///< of a key frame, paid back by the frames after it
  };

  void share();
  void frame(Encoding& encoding, size_t index, TimeUs nowUs, SourceContext& context);
  [[nodiscard]] size_t frameBytes(Encoding& encoding, bool keyFrame, double weight);
  void packetize(Encoding& encoding, Vp8Frame& frame, Mark mark, size_t bytes, SourceContext& context, TimeUs nowUs);

  VideoSourceSpec spec_;
  Ssrc id_;
  Variation variation_;
  std::vector<Encoding> encodings_;
  std::vector<Bytes> burst_;
  uint64_t target_ = UINT64_MAX;
  uint32_t timestampOffset_;
  TimeUs nextFrameUs_ = kNever;
};

}  // namespace sluice::peer
