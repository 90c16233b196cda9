#include "keyed_hash.h"

#include <bit>
#include <cstring>

namespace sluice::sctp {
namespace {

uint64_t readLittleU64(const uint8_t* p) {
  uint64_t v = 0;
  for (int i = 7; i >= 0; --i) v = (v << 8) | p[i];
  return v;
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void compress(uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }
};

}  // namespace

uint64_t keyedHash(const HashKey& key, Bytes bytes) {
  const uint64_t k0 = readLittleU64(key.data());
  const uint64_t k1 = readLittleU64(key.data() + 8);
  SipState s{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) s.compress(readLittleU64(bytes.data() + at));
  uint64_t last = static_cast<uint64_t>(bytes.size()) << 56;
  for (size_t i = 0; at + i < bytes.size(); ++i) last |= uint64_t{bytes[at + i]} << (8 * i);
  s.compress(last);
  s.v2 ^= 0xFF;
  for (int i = 0; i < 4; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

Random::Random(const Seed& seed) {
  std::memcpy(key_.data(), seed.data() + seed.size() - key_.size(), key_.size());
}

uint32_t Random::next() {
  uint8_t input[9] = {'r'};  // told apart from cookies, which are hashed under the same key
  writeU64(input + 1, counter_++);
  return static_cast<uint32_t>(keyedHash(key_, input));
}

uint32_t Random::nextTag() {
  const uint32_t tag = next();
  return tag == 0 ? 1 : tag;
}

}  // namespace sluice::sctp
