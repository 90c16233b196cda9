// The RTP header of an outgoing packet: written anew for each subscriber, never patched in the shared packet.
#pragma once

#include <optional>
#include <string_view>

#include "../packet/packet.h"
#include "../wire/header_extensions.h"
#include "../wire/rtp.h"

namespace sluice::send {

/// What distinguishes two sendings of one packet. Kept where a packet must be resent bit by bit the same.
struct Stamp {
  uint16_t transportSeq = 0;
  uint8_t padding = 0;     ///< octets of RTP padding behind the payload
  bool withMid = false;    ///< the MID was written
  uint32_t sendTime = 0;   ///< abs-send-time, 24 bits of 6.18 fixed point seconds
  uint32_t rewritten = 0;  ///< digest() of what was written instead of the packet's own; 0 when nothing was
};

[[nodiscard]] constexpr uint32_t absSendTime(TimeUs nowUs) {
  return static_cast<uint32_t>((static_cast<uint64_t>(nowUs) << 18) / kSecondUs) & 0xFF'FFFF;
}

/// The fixed part of an outgoing packet.
struct OutgoingHeader {
  uint8_t payloadType = 0;
  bool marker = false;
  uint16_t seq = 0;
  uint32_t timestamp = 0;
  Ssrc ssrc = 0;
};

/// The extension elements that a packet gets on its way to one session, and what they need.
struct HeaderPlan {
  wire::ExtensionForm form = wire::ExtensionForm::kOneByte;
  uint16_t bytes = wire::kRtpHeaderBytes;
};

/// What the elements of a packet are written from.
struct Elements {
  const Packet& packet;
  const wire::ExtensionMap& extensions;
  std::string_view mid;  ///< empty: not written
  /// Instead of the packet's dependency descriptor; one of no bytes is left out.
  std::optional<Bytes> descriptor;
};

[[nodiscard]] HeaderPlan planHeader(const Elements& elements);

/// Writes what was planned for the same elements to the front of `out`. Returns plan.bytes.
size_t writeHeader(const HeaderPlan& plan, const Elements& elements, const OutgoingHeader& header, const Stamp& stamp,
                   MutableBytes out);

}  // namespace sluice::send
