// What the parts of congestion control pass to each other. The whole follows draft-ietf-rmcat-gcc-02 and what
// libwebrtc made of it since; docs/congestion.md names the differences part by part.
#pragma once

#include <cstdint>

#include "../wire/types.h"

namespace sluice::congestion {

/// Bits per second.
using Bps = int64_t;

/// A burst sent faster than the estimate, to find out whether the path carries more. 0: no probe.
using ProbeId = uint16_t;
constexpr ProbeId kMaxProbeId = 0x1FFF;

/// Packets of nothing but padding: some receivers (Firefox) leave them out of what they report.
enum class Content : uint8_t { kMedia, kPadding };

/// What became of one packet that was sent with a transport-wide sequence number.
struct PacketResult {
  SeqNo seq = 0;
  TimeUs sentAtUs = 0;
  TimeUs receivedAtUs = kNever;  ///< by the receiver's clock, from an arbitrary start; kNever: reported missing
  uint32_t bytes = 0;
  ProbeId probe = 0;
  Content content = Content::kMedia;

  [[nodiscard]] bool received() const { return receivedAtUs != kNever; }
};

/// What the queue at the bottleneck is doing, as far as delays tell (draft §5.4).
enum class Usage : uint8_t { kNormal, kOverusing, kUnderusing };

}  // namespace sluice::congestion
