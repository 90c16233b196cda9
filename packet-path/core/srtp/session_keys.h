// Session keys from master keys (RFC 3711 §4.3, RFC 7714 §11).
#pragma once

#include <array>
#include <optional>

#include "../wire/srtp_keys.h"
#include "../wire/types.h"

namespace sluice::srtp {

/// One protocol's (SRTP's or SRTCP's) keys. Lengths by profile; `auth` for counter mode alone.
struct ProtocolKeys {
  std::array<uint8_t, 32> key{};
  std::array<uint8_t, 14> salt{};
  std::array<uint8_t, 20> auth{};
};

/// Wiped when it goes.
struct SessionKeys {
  wire::SrtpProfile profile = wire::SrtpProfile::kAeadAes128Gcm;
  ProtocolKeys rtp;
  ProtocolKeys rtcp;

  SessionKeys() = default;
  SessionKeys(const SessionKeys&) = default;
  SessionKeys& operator=(const SessionKeys&) = default;
  ~SessionKeys();
};

/// With key_derivation_rate 0, which is all that DTLS-SRTP uses (RFC 5764 §4.1.2). Empty when OpenSSL refuses.
[[nodiscard]] std::optional<SessionKeys> deriveSessionKeys(const wire::SrtpKeys& master);

}  // namespace sluice::srtp
