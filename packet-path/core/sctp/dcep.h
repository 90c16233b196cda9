// Data Channel Establishment Protocol messages (RFC 8832 §5) and the payload protocol identifiers of data channels
// (RFC 8831 §8).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "types.h"

namespace sluice::sctp {

enum class PayloadProtocol : uint32_t {
  kControl = 50,
  kString = 51,
  kBinary = 53,
  kStringEmpty = 56,
  kBinaryEmpty = 57,
};

enum class ControlType : uint8_t { kAck = 0x02, kOpen = 0x03 };

inline constexpr uint8_t kControlAck[] = {static_cast<uint8_t>(ControlType::kAck)};

/// Longer names are within the protocol and beyond reason: a peer could fill memory with them.
inline constexpr size_t kMaxNameBytes = 1'024;

[[nodiscard]] std::vector<uint8_t> writeOpen(const ChannelSpec& spec);
/// Nothing when it is no well-formed DATA_CHANNEL_OPEN, or a name is too long.
[[nodiscard]] std::optional<ChannelSpec> parseOpen(Bytes message);

}  // namespace sluice::sctp
