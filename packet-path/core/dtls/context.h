// What all DTLS endpoints of a process share: certificate, key and negotiation rules, set up once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../spec.h"
#include "../wire/types.h"

namespace sluice::dtls {

/// PEM texts of a certificate and its private key.
struct IdentityPem {
  std::string certificate;
  std::string privateKey;
};

/// A fresh self-signed ECDSA P-256 certificate (RFC 8827 §6.5), valid from `notBefore` (Unix seconds) for `days`.
/// Empty when OpenSSL fails, which is when it has no randomness.
[[nodiscard]] std::optional<IdentityPem> generateIdentity(int64_t notBefore, int days = 30);

/// Read-only once made; endpoints of one thread use it (OpenSSL counts references to it atomically, so several
/// threads may as well).
class Context {
 public:
  /// Null when the PEM texts are not a certificate and the key that belongs to it.
  [[nodiscard]] static std::unique_ptr<Context> create(std::string_view certificatePem, std::string_view privateKeyPem);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Of our own certificate. `algorithm` as in SDP: "sha-256", "sha-384", "sha-512".
  [[nodiscard]] std::optional<Fingerprint> fingerprint(std::string_view algorithm) const;

 private:
  friend class Handshake;
  struct State;
  explicit Context(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sluice::dtls
