// Bits, from the highest of the first byte on: what descriptors that are not made of bytes are read and written with.
#pragma once

#include <algorithm>

#include "types.h"

namespace sluice::wire {

/// Reads bits. Past the end everything is zero, and `ok` says so.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  /// The next `n` ≤ 32 bits.
  uint32_t read(uint32_t n) {
    if (n > left()) {
      ok_ = false;
      at_ = size();
      return 0;
    }
    uint64_t value = 0;
    uint32_t have = 0;
    while (have < n) {
      const auto inByte = static_cast<uint32_t>(at_ & 7);
      const uint32_t take = std::min(8 - inByte, n - have);
      const uint32_t byte = bytes_[at_ >> 3];
      value = value << take | ((byte >> (8 - inByte - take)) & ((1U << take) - 1));
      have += take;
      at_ += take;
    }
    return static_cast<uint32_t>(value);
  }
  bool flag() { return read(1) != 0; }
  /// A number below `n` in the non-symmetric code of the AV1 RTP specification, appendix A.8.2. `n` ≥ 1.
  uint32_t nonSymmetric(uint32_t n) {
    uint32_t width = 0;
    for (uint32_t x = n; x != 0; x >>= 1) ++width;
    const uint32_t shorter = (1U << width) - n;  // so many values take one bit less
    const uint32_t value = read(width - 1);
    if (value < shorter) return value;
    return (value << 1) - shorter + read(1);
  }

  [[nodiscard]] bool ok() const { return ok_; }
  /// Bits read so far, and still to come.
  [[nodiscard]] size_t position() const { return at_; }
  [[nodiscard]] size_t left() const { return size() - at_; }

 private:
  [[nodiscard]] size_t size() const { return bytes_.size() * 8; }

  Bytes bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

/// Writes bits. What does not fit is not written, and `ok` says so.
class BitWriter {
 public:
  explicit BitWriter(MutableBytes bytes) : bytes_(bytes) {}

  /// The lower `n` ≤ 32 bits of `value`.
  void write(uint32_t value, uint32_t n) {
    if (n > bytes_.size() * 8 - at_) {
      ok_ = false;
      return;
    }
    for (uint32_t left = n; left > 0;) {
      const auto inByte = static_cast<uint32_t>(at_ & 7);
      const uint32_t take = std::min(8 - inByte, left);
      const uint32_t room = 8 - inByte - take;
      const uint32_t mask = ((1U << take) - 1) << room;
      const uint32_t bits = ((value >> (left - take)) << room) & mask;
      uint8_t& byte = bytes_[at_ >> 3];
      byte = static_cast<uint8_t>((byte & ~mask) | bits);
      left -= take;
      at_ += take;
    }
  }
  void flag(bool value) { write(value ? 1 : 0, 1); }
  void nonSymmetric(uint32_t n, uint32_t value) {
    if (n <= 1) return;
    uint32_t width = 0;
    for (uint32_t x = n; x != 0; x >>= 1) ++width;
    const uint32_t shorter = (1U << width) - n;
    if (value < shorter) {
      write(value, width - 1);
    } else {
      write(value + shorter, width);
    }
  }
  /// Copies the next `n` bits of `from`.
  void copy(BitReader& from, size_t n) {
    for (; n > 32; n -= 32) write(from.read(32), 32);
    write(from.read(static_cast<uint32_t>(n)), static_cast<uint32_t>(n));
  }
  /// Zeroes up to the next whole byte. Returns the bytes written.
  size_t finish() {
    if ((at_ & 7) != 0) write(0, 8 - static_cast<uint32_t>(at_ & 7));
    return at_ >> 3;
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] size_t position() const { return at_; }

 private:
  MutableBytes bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace sluice::wire
