// The cryptographic transforms of SRTP: AEAD (RFC 7714) or counter mode with HMAC-SHA1 (RFC 3711 §4.1, §4.2). Knows
// packets' layout, not their order.
#pragma once

#include <optional>
#include <variant>

#include "../crypto/aes.h"
#include "../wire/hmac_sha1.h"
#include "../wire/types.h"
#include "session_keys.h"

namespace sluice::srtp {

enum class Direction : uint8_t { kSeal, kOpen };

class Transform {
 public:
  [[nodiscard]] static std::optional<Transform> create(const SessionKeys& keys, Direction direction);

  /// `out` has room for header, payload and rtpOverhead(). `index` is the 48-bit packet index.
  [[nodiscard]] bool sealRtp(Bytes header, Bytes payload, uint64_t index, uint8_t* out);
  /// `sealed` has a whole header of `headerBytes` and at least rtpOverhead() more. Writes header and plaintext.
  [[nodiscard]] bool openRtp(Bytes sealed, size_t headerBytes, uint64_t index, uint8_t* out);
  /// `packet` has at least the 8 bytes that stay in the clear. `out` has room for rtcpOverhead() more.
  [[nodiscard]] bool sealRtcp(Bytes packet, uint32_t index, uint8_t* out);
  /// `sealed` has at least 8 + rtcpOverhead() bytes. Writes 8 bytes and plaintext. The index is the packet's own.
  [[nodiscard]] bool openRtcp(Bytes sealed, uint8_t* out);

  [[nodiscard]] size_t rtpOverhead() const { return tagBytes_; }
  [[nodiscard]] size_t rtcpOverhead() const { return tagBytes_ + kIndexBytes; }
  /// Index and E bit of a sealed RTCP packet, wherever the profile puts them.
  [[nodiscard]] uint32_t rtcpIndexWord(Bytes sealed) const;

  static constexpr size_t kIndexBytes = 4;

 private:
  struct Aead {
    crypto::AesGcm rtp;
    crypto::AesGcm rtcp;
    std::array<uint8_t, 12> rtpSalt;
    std::array<uint8_t, 12> rtcpSalt;
  };
  struct CounterMode {
    crypto::AesCtr rtp;
    crypto::AesCtr rtcp;
    wire::HmacSha1 rtpAuth;
    wire::HmacSha1 rtcpAuth;
    std::array<uint8_t, 14> rtpSalt;
    std::array<uint8_t, 14> rtcpSalt;
  };
  using Ciphers = std::variant<Aead, CounterMode>;

  Transform(Ciphers ciphers, size_t tagBytes) : ciphers_(std::move(ciphers)), tagBytes_(tagBytes) {}

  Ciphers ciphers_;
  size_t tagBytes_;
};

}  // namespace sluice::srtp
