// What kind of datagram this is, by its first bytes alone (RFC 7983 §7, RFC 5761 §4).
#pragma once

#include "types.h"

namespace sluice::wire {

enum class DatagramClass : uint8_t { kStun, kDtls, kRtp, kRtcp, kOther };

inline constexpr size_t kStunHeaderBytes = 20;        // RFC 8489 §5
inline constexpr uint32_t kStunCookie = 0x2112'A442;  // RFC 8489 §5
inline constexpr size_t kDtlsRecordHeaderBytes = 13;  // RFC 6347 §4.1
inline constexpr size_t kRtpHeaderBytes = 12;         // RFC 3550 §5.1
inline constexpr size_t kRtcpHeaderBytes = 8;         // RFC 3550 §6: the common word and the sender's SSRC

/// A datagram too short for the kind its first byte names is `kOther`, so that a parser sees a whole fixed header.
constexpr DatagramClass classify(Bytes d) {
  if (d.empty()) return DatagramClass::kOther;
  const uint8_t first = d[0];
  if (first < 4) {
    const bool stun = d.size() >= kStunHeaderBytes && readU32(d.data() + 4) == kStunCookie;
    return stun ? DatagramClass::kStun : DatagramClass::kOther;
  }
  if (first >= 20 && first < 64) {
    return d.size() >= kDtlsRecordHeaderBytes ? DatagramClass::kDtls : DatagramClass::kOther;
  }
  if (first >= 128 && first < 192) {
    if (d.size() < kRtcpHeaderBytes) return DatagramClass::kOther;
    // RFC 5761 §4: RTCP packet types 192…223; RTP payload types 64…95 are not used where RTP and RTCP share a port.
    if (d[1] >= 192 && d[1] < 224) return DatagramClass::kRtcp;
    return d.size() >= kRtpHeaderBytes ? DatagramClass::kRtp : DatagramClass::kOther;
  }
  return DatagramClass::kOther;
}

}  // namespace sluice::wire
