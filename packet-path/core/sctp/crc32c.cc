#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace sluice::sctp {
namespace {

constexpr uint32_t kPolynomialReflected = 0x82F63B78;
constexpr size_t kChecksumOffset = 8;
constexpr size_t kChecksumBytes = 4;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/// Slicing-by-8: tables[n][b] is the CRC of byte b followed by n zero bytes.
constexpr Tables makeTables() {
  Tables t{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomialReflected : 0);
    t[0][b] = crc;
  }
  for (size_t n = 1; n < t.size(); ++n) {
    for (size_t b = 0; b < 256; ++b) t[n][b] = (t[n - 1][b] >> 8) ^ t[0][t[n - 1][b] & 0xFF];
  }
  return t;
}

constexpr Tables kTables = makeTables();

uint32_t updateByTable(uint32_t crc, Bytes bytes) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    const uint32_t low = crc ^ (uint32_t{p[0]} | uint32_t{p[1]} << 8 | uint32_t{p[2]} << 16 | uint32_t{p[3]} << 24);
    crc = kTables[7][low & 0xFF] ^ kTables[6][(low >> 8) & 0xFF] ^ kTables[5][(low >> 16) & 0xFF] ^
          kTables[4][low >> 24] ^ kTables[3][p[4]] ^ kTables[2][p[5]] ^ kTables[1][p[6]] ^ kTables[0][p[7]];
  }
  for (; left > 0; ++p, --left) crc = (crc >> 8) ^ kTables[0][(crc ^ *p) & 0xFF];
  return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) uint32_t updateByInstruction(uint32_t crc, Bytes bytes) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();
  uint64_t wide = crc;
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<uint32_t>(wide);
  for (; left > 0; ++p, --left) narrow = _mm_crc32_u8(narrow, *p);
  return narrow;
}

bool hasInstruction() {
  static const bool has = __builtin_cpu_supports("sse4.2");
  return has;
}

#elif defined(__ARM_FEATURE_CRC32)

uint32_t updateByInstruction(uint32_t crc, Bytes bytes) {
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, sizeof word);
    crc = __crc32cd(crc, word);
  }
  for (; left > 0; ++p, --left) crc = __crc32cb(crc, *p);
  return crc;
}

constexpr bool hasInstruction() {
  return true;
}

#else

uint32_t updateByInstruction(uint32_t crc, Bytes bytes) {
  return updateByTable(crc, bytes);
}

constexpr bool hasInstruction() {
  return false;
}

#endif

uint32_t update(uint32_t crc, Bytes bytes) {
  return hasInstruction() ? updateByInstruction(crc, bytes) : updateByTable(crc, bytes);
}

}  // namespace

uint32_t crc32c(Bytes bytes) {
  return ~update(~uint32_t{0}, bytes);
}

uint32_t crc32cByTable(Bytes bytes) {
  return ~updateByTable(~uint32_t{0}, bytes);
}

uint32_t packetChecksum(Bytes packet) {
  static constexpr uint8_t kZero[kChecksumBytes] = {};
  uint32_t crc = update(~uint32_t{0}, packet.first(kChecksumOffset));
  crc = update(crc, kZero);
  crc = ~update(crc, packet.subspan(kChecksumOffset + kChecksumBytes));
  // Appendix A: the CRC's low byte goes first, against the order of every other field.
  return __builtin_bswap32(crc);
}

}  // namespace sluice::sctp
