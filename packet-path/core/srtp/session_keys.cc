#include "session_keys.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "../crypto/aes.h"

namespace sluice::srtp {

namespace {

// RFC 3711 §4.3.1; those of SRTCP are each 3 more (§4.3.2).
constexpr uint8_t kKey = 0;
constexpr uint8_t kAuth = 1;
constexpr uint8_t kSalt = 2;
constexpr uint8_t kRtcp = 3;

class Derivation {
 public:
  explicit Derivation(const wire::SrtpKeys& master) : prf_(crypto::AesCtr::create(master.keyBytes())) {
    const Bytes salt = master.saltBytes();  // a 12-byte salt stands left, zeros behind it (RFC 7714 §11)
    std::copy(salt.begin(), salt.end(), start_.begin());
  }

  /// PRF_n(master key, label · 2^48 XOR salt): the cipher's key stream from there (RFC 3711 §4.3.3).
  bool derive(uint8_t label, MutableBytes out) {
    constexpr std::array<uint8_t, 32> kZeros{};
    crypto::AesCtr::Counter start = start_;
    start[7] ^= label;
    return prf_ && prf_->crypt(start, Bytes(kZeros).first(out.size()), out.data());
  }

  bool derive(uint8_t offset, wire::SrtpProfile profile, ProtocolKeys& keys) {
    const auto label = [offset](uint8_t l) { return static_cast<uint8_t>(offset + l); };
    return derive(label(kKey), MutableBytes(keys.key).first(wire::srtpKeyBytes(profile))) &&
           derive(label(kSalt), MutableBytes(keys.salt).first(wire::srtpSaltBytes(profile))) &&
           derive(label(kAuth), keys.auth);
  }

 private:
  std::optional<crypto::AesCtr> prf_;
  crypto::AesCtr::Counter start_{};
};

}  // namespace

SessionKeys::~SessionKeys() {
  OPENSSL_cleanse(&rtp, sizeof rtp);
  OPENSSL_cleanse(&rtcp, sizeof rtcp);
}

std::optional<SessionKeys> deriveSessionKeys(const wire::SrtpKeys& master) {
  std::optional<SessionKeys> keys(std::in_place);
  keys->profile = master.profile;
  Derivation derivation(master);
  if (!derivation.derive(0, master.profile, keys->rtp) || !derivation.derive(kRtcp, master.profile, keys->rtcp)) {
    return std::nullopt;
  }
  return keys;
}

}  // namespace sluice::srtp
