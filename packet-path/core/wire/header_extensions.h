// RTP header extensions (RFC 8285): which ones we know, and the per-session map between their kinds and wire ids.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "types.h"

namespace sluice::wire {

/// The extensions the packet path reads, writes or passes on. An unknown one is not forwarded.
enum class ExtensionKind : uint8_t {
  kNone = 0,
  kMid,                   // urn:ietf:params:rtp-hdrext:sdes:mid (RFC 9143 §15)
  kRid,                   // urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id (RFC 8852)
  kRepairedRid,           // urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id (RFC 8852)
  kAudioLevel,            // urn:ietf:params:rtp-hdrext:ssrc-audio-level (RFC 6464)
  kAbsSendTime,           // http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
  kTransportCc,           // http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
  kTransmissionOffset,    // urn:ietf:params:rtp-hdrext:toffset (RFC 5450)
  kVideoOrientation,      // urn:3gpp:video-orientation
  kPlayoutDelay,          // http://www.webrtc.org/experiments/rtp-hdrext/playout-delay
  kVideoContentType,      // http://www.webrtc.org/experiments/rtp-hdrext/video-content-type
  kVideoTiming,           // http://www.webrtc.org/experiments/rtp-hdrext/video-timing
  kColorSpace,            // http://www.webrtc.org/experiments/rtp-hdrext/color-space
  kDependencyDescriptor,  // https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension
  kFrameMarking,          // http://tools.ietf.org/html/draft-ietf-avtext-framemarking-07
  kAbsCaptureTime,        // http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time
  kCount,
};

/// The URI by which SDP names an extension, and back. Empty and kNone when there is none.
[[nodiscard]] std::string_view extensionUri(ExtensionKind kind);
[[nodiscard]] ExtensionKind extensionKind(std::string_view uri);

/// One session's ids, both ways. Bundled media sections share one map (RFC 8285 §6, RFC 9143 §8.1).
class ExtensionMap {
 public:
  /// One id has one kind and one kind one id: the later pair wins over both. Id 0 takes the kind out.
  void set(ExtensionKind kind, uint8_t id);
  /// 0 when this session did not negotiate `kind`.
  [[nodiscard]] uint8_t id(ExtensionKind kind) const { return ids_[static_cast<size_t>(kind)]; }
  [[nodiscard]] ExtensionKind kind(uint8_t id) const { return kinds_[id]; }
  friend bool operator==(const ExtensionMap&, const ExtensionMap&) = default;

 private:
  std::array<uint8_t, static_cast<size_t>(ExtensionKind::kCount)> ids_{};
  std::array<ExtensionKind, 256> kinds_{};
};

}  // namespace sluice::wire
