// A microphone with its Opus encoder, as far as the network sees it: 50 packets a second (RFC 7587), each with its
// level, and the one before it when RED was negotiated.
#pragma once

#include <vector>

#include "mark.h"
#include "media_spec.h"
#include "outgoing_rtp.h"
#include "variation.h"
#include "video_source.h"

namespace sluice::peer {

class AudioSource {
 public:
  static constexpr TimeUs kFrameUs = 20 * kMillisecondUs;
  static constexpr uint32_t kFrameTicks = 960;  // at 48 kHz

  AudioSource(const AudioSourceSpec& spec, uint64_t seed, TimeUs nowUs);
  void apply(const AudioSourceSpec& spec, TimeUs nowUs);

  [[nodiscard]] TimeUs nextDeadline() const { return nextFrameUs_; }
  void onDeadline(TimeUs nowUs, SourceContext context);

  [[nodiscard]] OutgoingRtp& rtp() { return rtp_; }
  [[nodiscard]] const OutgoingRtp& rtp() const { return rtp_; }
  [[nodiscard]] Ssrc id() const { return spec_.ssrc; }
  [[nodiscard]] uint32_t timestamp(TimeUs nowUs) const;

 private:
  [[nodiscard]] Bytes redundant(Bytes frame, uint32_t timestamp);

  AudioSourceSpec spec_;
  Variation variation_;
  OutgoingRtp rtp_;
  uint32_t timestampOffset_;
  uint32_t frame_ = 0;
  TimeUs nextFrameUs_ = kNever;
  std::vector<uint8_t> before_;  ///< the last frame, for RED
  uint32_t beforeTimestamp_ = 0;
  std::vector<uint8_t> red_;
};

}  // namespace sluice::peer
