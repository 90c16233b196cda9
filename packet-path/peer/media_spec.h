// What a client should send and receive, as its negotiation and its user settled it. Applying one makes it so.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "../core/spec.h"

namespace sluice::peer {

/// One RTP stream of a video source.
struct EncodingSpec {
  Ssrc ssrc = 0;
  std::optional<Ssrc> rtxSsrc;
  std::string rid;  ///< empty: none
  uint32_t maxBitsPerSecond = 0;
  /// Below this it is not sent at all.
  uint32_t minBitsPerSecond = 0;
  uint16_t width = 0;
  uint16_t height = 0;
  bool active = true;
  friend bool operator==(const EncodingSpec&, const EncodingSpec&) = default;
};

/// A camera and its encoder (VP8).
struct VideoSourceSpec {
  std::string mid;
  uint8_t payloadType = 0;
  std::optional<uint8_t> rtxPayloadType;
  uint8_t framesPerSecond = 30;
  uint8_t temporalLayers = 1;  ///< 1 to 3
  bool muted = false;
  std::vector<EncodingSpec> encodings;  ///< from the lowest
};

/// A microphone and its encoder (Opus, 20 ms).
struct AudioSourceSpec {
  std::string mid;
  uint8_t payloadType = 0;
  /// Set: each packet carries the one before it as well (RFC 2198).
  std::optional<uint8_t> redPayloadType;
  Ssrc ssrc = 0;
  uint32_t bitsPerSecond = 32'000;
  uint8_t level = 20;  ///< -dBov (RFC 6464)
  bool muted = false;
};

/// A remote track.
struct SinkSpec {
  Ssrc ssrc = 0;
  std::optional<Ssrc> rtxSsrc;
  MediaKind kind = MediaKind::kAudio;
  std::string mid;
  std::vector<CodecSpec> codecs;
  bool nack = false;
  /// Nothing should come: its publisher is muted, or it is paused.
  bool idle = false;
};

struct MediaSpec {
  wire::ExtensionMap extensions;
  /// Transport-wide feedback was negotiated.
  bool transportCc = false;
  std::vector<VideoSourceSpec> video;  ///< known by their first encoding's SSRC
  std::vector<AudioSourceSpec> audio;
  std::vector<SinkSpec> sinks;
};

}  // namespace sluice::peer
