// AES as the packet path uses it: one key for very many short messages, so a cipher context is keyed once and only its
// nonce changes per message. Thin over OpenSSL's EVP.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "../wire/types.h"

struct evp_cipher_ctx_st;

namespace sluice::crypto {

struct CipherContextDeleter {
  void operator()(evp_cipher_ctx_st* context) const;
};
using CipherContext = std::unique_ptr<evp_cipher_ctx_st, CipherContextDeleter>;

/// AES-128/256-GCM with a 12-byte nonce and 16-byte tag (RFC 5116 §5.1), one direction.
class AesGcm {
 public:
  static constexpr size_t kTagBytes = 16;
  using Nonce = std::array<uint8_t, 12>;
  enum class Direction : uint8_t { kSeal, kOpen };

  /// `key` is 16 or 32 bytes. Empty when OpenSSL refuses.
  [[nodiscard]] static std::optional<AesGcm> create(Bytes key, Direction direction);

  /// Writes ciphertext and tag: plain.size() + kTagBytes. `out` may be `plain`'s own bytes.
  [[nodiscard]] bool seal(const Nonce& nonce, Bytes associated, Bytes plain, uint8_t* out);
  /// `sealed` ends with the tag; writes sealed.size() - kTagBytes. What is in `out` after false is not authentic.
  [[nodiscard]] bool open(const Nonce& nonce, Bytes associated, Bytes sealed, uint8_t* out);

 private:
  explicit AesGcm(CipherContext context) : context_(std::move(context)) {}
  CipherContext context_;
};

/// AES-128/256 in counter mode: encrypts and decrypts alike.
class AesCtr {
 public:
  using Counter = std::array<uint8_t, 16>;

  [[nodiscard]] static std::optional<AesCtr> create(Bytes key);
  [[nodiscard]] bool crypt(const Counter& start, Bytes in, uint8_t* out);

 private:
  explicit AesCtr(CipherContext context) : context_(std::move(context)) {}
  CipherContext context_;
};

}  // namespace sluice::crypto
