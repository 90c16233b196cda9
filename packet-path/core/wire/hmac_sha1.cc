// OpenSSL 3 marks the bare SHA-1 functions as deprecated in favour of EVP, whose contexts cost an allocation a key and
// about 30 ns a message more. They are exported by every OpenSSL 3 and by Node's own; this file alone uses them.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "hmac_sha1.h"

#include <cstring>

namespace sluice::wire {

namespace {

constexpr size_t kBlockBytes = 64;

SHA_CTX resume(const std::array<uint32_t, 5>& state) {
  SHA_CTX c;
  SHA1_Init(&c);
  c.h0 = state[0];
  c.h1 = state[1];
  c.h2 = state[2];
  c.h3 = state[3];
  c.h4 = state[4];
  c.Nl = kBlockBytes * 8;  // the key's block was hashed
  return c;
}

std::array<uint32_t, 5> stateAfter(const std::array<uint8_t, kBlockBytes>& block) {
  SHA_CTX c;
  SHA1_Init(&c);
  SHA1_Update(&c, block.data(), block.size());
  return {c.h0, c.h1, c.h2, c.h3, c.h4};
}

}  // namespace

HmacSha1::HmacSha1(Bytes key) {
  std::array<uint8_t, kBlockBytes> block{};
  if (key.size() > kBlockBytes) {
    SHA1(key.data(), key.size(), block.data());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  for (uint8_t& b : block) b ^= 0x36;
  inner_ = stateAfter(block);
  for (uint8_t& b : block) b ^= 0x36 ^ 0x5C;
  outer_ = stateAfter(block);
  OPENSSL_cleanse(block.data(), block.size());
}

HmacSha1::Tag HmacSha1::sign(Bytes first, Bytes second) const {
  Tag tag;
  SHA_CTX c = resume(inner_);
  SHA1_Update(&c, first.data(), first.size());
  SHA1_Update(&c, second.data(), second.size());
  SHA1_Final(tag.data(), &c);
  c = resume(outer_);
  SHA1_Update(&c, tag.data(), tag.size());
  SHA1_Final(tag.data(), &c);
  return tag;
}

bool HmacSha1::verify(Bytes first, Bytes second, Bytes expected) const {
  const Tag tag = sign(first, second);
  return expected.size() <= tag.size() && CRYPTO_memcmp(tag.data(), expected.data(), expected.size()) == 0;
}

}  // namespace sluice::wire
