#include "header_extensions.h"

namespace sluice::wire {

namespace {

// In the order of ExtensionKind; the first is kNone.
constexpr std::array<std::string_view, static_cast<size_t>(ExtensionKind::kCount)> kUris = {
    "",
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "urn:ietf:params:rtp-hdrext:toffset",
    "urn:3gpp:video-orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-content-type",
    "http://www.webrtc.org/experiments/rtp-hdrext/video-timing",
    "http://www.webrtc.org/experiments/rtp-hdrext/color-space",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    "http://tools.ietf.org/html/draft-ietf-avtext-framemarking-07",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
};
static_assert(!kUris.back().empty());

}  // namespace

std::string_view extensionUri(ExtensionKind kind) {
  const auto index = static_cast<size_t>(kind);
  return index < kUris.size() ? kUris[index] : std::string_view{};
}

ExtensionKind extensionKind(std::string_view uri) {
  for (size_t i = 1; i < kUris.size(); ++i) {
    if (kUris[i] == uri) return static_cast<ExtensionKind>(i);
  }
  return ExtensionKind::kNone;
}

void ExtensionMap::set(ExtensionKind kind, uint8_t id) {
  uint8_t& mine = ids_[static_cast<size_t>(kind)];
  if (mine != 0) kinds_[mine] = ExtensionKind::kNone;
  mine = 0;
  if (id == 0) return;
  if (kinds_[id] != ExtensionKind::kNone) ids_[static_cast<size_t>(kinds_[id])] = 0;
  mine = id;
  kinds_[id] = kind;
}

}  // namespace sluice::wire
