// SRTP and SRTCP (RFC 3711, RFC 7714): one context per direction of a session, keyed once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "../wire/srtp_keys.h"
#include "../wire/types.h"
#include "stream_table.h"
#include "transform.h"

namespace sluice::srtp {

/// What sealing adds at most, whatever the profile: a 16-byte tag and SRTCP's 4-byte index (RFC 7714 §9.1).
inline constexpr size_t kMaxOverheadBytes = 20;

/// Of fixed header, CSRCs and extension, which stay in the clear (RFC 3711 §3.1); 0 when it is no RTP packet.
[[nodiscard]] size_t rtpHeaderBytes(Bytes packet);

/// Seals what this side sends. The caller owns sequence numbers: one extended number of one SSRC must never be
/// sealed with two different contents (RFC 7714 §8.1).
class SealContext {
 public:
  /// Empty when OpenSSL has no such cipher or no memory.
  [[nodiscard]] static std::optional<SealContext> create(const wire::SrtpKeys& keys);

  /// Seals one RTP packet whose header (with CSRCs and extensions) and payload stand apart, as header, ciphertext and
  /// tag at the front of `out`, without a copy in between. `seq` is the extended sequence number, counted from a start
  /// in 0…65535, so that its upper bits are the rollover counter; its lower bits are what the header carries.
  /// Returns the sealed size (header + payload + rtpOverhead()), 0 when `out` is too small or `seq` is negative.
  [[nodiscard]] size_t sealRtp(Bytes header, Bytes payload, SeqNo seq, MutableBytes out);

  /// Seals one (compound) RTCP packet. Returns the sealed size (+ rtcpOverhead()), 0 when `out` is too small, or after
  /// 2^31 packets (RFC 3711 §9.2).
  [[nodiscard]] size_t sealRtcp(Bytes packet, MutableBytes out);

  [[nodiscard]] size_t rtpOverhead() const { return transform_.rtpOverhead(); }
  [[nodiscard]] size_t rtcpOverhead() const { return transform_.rtcpOverhead(); }

 private:
  explicit SealContext(Transform transform) : transform_(std::move(transform)) {}
  Transform transform_;
  uint32_t rtcpIndex_ = 0;
};

enum class OpenVerdict : uint8_t {
  kOpened,
  kMalformed,    ///< not RTP or RTCP, or too short to have been sealed, or `out` too small
  kReplayed,     ///< seen before, or older than the window (RFC 3711 §3.3.2)
  kUnauthentic,  ///< the tag is wrong
  kTooManySsrcs,
  kCount,
};

struct Opened {
  OpenVerdict verdict = OpenVerdict::kMalformed;
  size_t size = 0;  ///< of the packet at the front of `out`
  SeqNo seq = 0;    ///< RTP: the extended sequence number, rollover counter × 2^16 + wire number
};

/// Opens what the peer sends. State of an SSRC is made only after a packet of it proved authentic.
class OpenContext {
 public:
  [[nodiscard]] static std::optional<OpenContext> create(const wire::SrtpKeys& keys);

  /// Opens out of place; `out` may also be exactly `sealed`'s own bytes. Needs room for sealed.size().
  [[nodiscard]] Opened openRtp(Bytes sealed, MutableBytes out);
  [[nodiscard]] Opened openRtcp(Bytes sealed, MutableBytes out);

 private:
  explicit OpenContext(Transform transform) : transform_(std::move(transform)) {}
  Transform transform_;
  StreamTable rtp_;
  StreamTable rtcp_;
};

}  // namespace sluice::srtp
