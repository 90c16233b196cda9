// What a DTLS handshake agrees on for SRTP: profile and master keys (RFC 5764 §4.1.2, RFC 7714 §14.2).
#pragma once

#include <array>

#include "types.h"

namespace sluice::wire {

/// Values as registered for use_srtp.
enum class SrtpProfile : uint16_t {
  kAes128CmSha1_80 = 0x0001,
  kAeadAes128Gcm = 0x0007,
  kAeadAes256Gcm = 0x0008,
};

constexpr size_t srtpKeyBytes(SrtpProfile p) {
  return p == SrtpProfile::kAeadAes256Gcm ? 32 : 16;
}
constexpr size_t srtpSaltBytes(SrtpProfile p) {
  return p == SrtpProfile::kAes128CmSha1_80 ? 14 : 12;
}

/// One direction's master key and salt.
struct SrtpKeys {
  SrtpProfile profile = SrtpProfile::kAeadAes128Gcm;
  std::array<uint8_t, 32> key{};
  std::array<uint8_t, 14> salt{};

  [[nodiscard]] Bytes keyBytes() const { return {key.data(), srtpKeyBytes(profile)}; }
  [[nodiscard]] Bytes saltBytes() const { return {salt.data(), srtpSaltBytes(profile)}; }
};

struct SrtpKeyPair {
  SrtpKeys local;   ///< for what this side seals
  SrtpKeys remote;  ///< for what it opens
};

}  // namespace sluice::wire
