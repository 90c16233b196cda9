// What a client sent and received, as its user would see it. Numbers grow from the start of each stream.
#pragma once

#include <vector>

#include "../core/wire/types.h"
#include "audio_playout.h"
#include "video_playout.h"

namespace sluice::peer {

struct SentStream {
  Ssrc ssrc = 0;
  bool video = false;
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t resent = 0;
  uint64_t nacks = 0;
  uint32_t frames = 0;
  uint32_t keyFrames = 0;
  uint32_t keyFramesAsked = 0;
  uint32_t bitsPerSecond = 0;  ///< allotted
  double fractionLost = 0;     ///< as last reported
};

struct ReceivedStream {
  Ssrc ssrc = 0;
  bool video = false;
  uint64_t packets = 0;  ///< distinct
  uint64_t bytes = 0;
  int64_t lost = 0;        ///< that the network took, repaired or not
  uint64_t recovered = 0;  ///< by retransmission
  uint64_t nacks = 0;
  uint64_t keyFramesAsked = 0;
  double jitterMs = 0;
  VideoTotals frames;  ///< of video
  AudioTotals audio;   ///< of audio
  const DelayHistogram* delays = nullptr;
};

struct MediaReport {
  std::vector<SentStream> sent;
  std::vector<ReceivedStream> received;
  double rttMs = 0;  ///< 0: not measured
  uint64_t unknownSource = 0;
};

}  // namespace sluice::peer
