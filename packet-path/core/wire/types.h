// The small strong types every part of the packet path speaks in.
// Nothing here has behaviour beyond arithmetic; nothing here includes anything of ours.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

/// A point on the driver's monotonic clock, in microseconds. The core never reads a clock: it is told.
using TimeUs = int64_t;

/// No deadline at all. Later than every real time.
inline constexpr TimeUs kNever = INT64_MAX;

inline constexpr TimeUs kMillisecondUs = 1'000;
inline constexpr TimeUs kSecondUs = 1'000'000;

/// RFC 3550 §3: identifies the source of an RTP stream.
using Ssrc = uint32_t;

/// An RTP sequence number once it has arrived: extended to 64 bits, so that it only grows (RFC 3550 appendix A.1).
/// `static_cast<uint16_t>` of it is what stands on the wire.
using SeqNo = int64_t;

/// Extends a 16-bit wire sequence number to the 64-bit number nearest to `reference`.
constexpr SeqNo extendSeq(uint16_t wire, SeqNo reference) {
  const auto delta = static_cast<int16_t>(static_cast<uint16_t>(wire - static_cast<uint16_t>(reference)));
  return reference + delta;
}

/// Extends a 32-bit RTP timestamp to the 64-bit value nearest to `reference`.
constexpr int64_t extendTimestamp(uint32_t wire, int64_t reference) {
  const auto delta = static_cast<int32_t>(static_cast<uint32_t>(wire - static_cast<uint32_t>(reference)));
  return reference + delta;
}

/// An IPv4 or IPv6 transport address. IPv4 is held as such (`family` 4), never as a mapped IPv6 address,
/// so that equal addresses compare equal whichever socket saw them.
struct Address {
  uint8_t ip[16] = {};  ///< network order; the first 4 bytes when family is 4
  uint16_t port = 0;    ///< host order
  uint8_t family = 0;   ///< 4, 6, or 0 for "none"
  /// Which of the driver's local ends it was seen from, so that an answer leaves by the address the question came to
  /// (RFC 8445 §7.3.1); 0 leaves the choice to the driver. A path is a pair, hence part of equality. Opaque to the
  /// core.
  uint8_t via = 0;

  [[nodiscard]] constexpr bool isSet() const { return family != 0; }
  friend constexpr bool operator==(const Address&, const Address&) = default;
};

struct AddressHash {
  [[nodiscard]] size_t operator()(const Address& a) const {
    // FNV-1a over the bytes that matter: short input, no need for more.
    uint64_t h = 14695981039346656037ULL;
    const auto mix = [&h](uint8_t b) { h = (h ^ b) * 1099511628211ULL; };
    for (size_t i = 0; i < (a.family == 4 ? 4U : 16U); ++i) mix(a.ip[i]);
    mix(static_cast<uint8_t>(a.port));
    mix(static_cast<uint8_t>(a.port >> 8));
    return static_cast<size_t>(h ^ (h >> 32));
  }
};

/// Big-endian access. Callers have checked the length.
constexpr uint16_t readU16(const uint8_t* p) {
  return static_cast<uint16_t>((p[0] << 8) | p[1]);
}
constexpr uint32_t readU24(const uint8_t* p) {
  return (uint32_t{p[0]} << 16) | (uint32_t{p[1]} << 8) | p[2];
}
constexpr uint32_t readU32(const uint8_t* p) {
  return (uint32_t{readU16(p)} << 16) | readU16(p + 2);
}
constexpr uint64_t readU64(const uint8_t* p) {
  return (uint64_t{readU32(p)} << 32) | readU32(p + 4);
}
constexpr void writeU16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
constexpr void writeU24(uint8_t* p, uint32_t v) {
  p[0] = static_cast<uint8_t>(v >> 16);
  writeU16(p + 1, static_cast<uint16_t>(v));
}
constexpr void writeU32(uint8_t* p, uint32_t v) {
  writeU16(p, static_cast<uint16_t>(v >> 16));
  writeU16(p + 2, static_cast<uint16_t>(v));
}
constexpr void writeU64(uint8_t* p, uint64_t v) {
  writeU32(p, static_cast<uint32_t>(v >> 32));
  writeU32(p + 4, static_cast<uint32_t>(v));
}

}  // namespace sluice
