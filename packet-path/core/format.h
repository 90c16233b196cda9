// What a payload is, told apart by one number that means the same on every shard.
#pragma once

#include "spec.h"

namespace sluice {

/// The codec, and behind it 24 bits of a hash (FNV-1a) of codec, clock rate and profile: two codecs with the same key
/// carry the same format, whatever payload type each session gave them. A collision among the handful of formats of one
/// codec in one call would cost wrong payload types in that call, nothing else.
[[nodiscard]] inline uint32_t formatKey(const CodecSpec& codec) {
  uint32_t h = 2166136261U;
  const auto mix = [&h](uint8_t b) { h = (h ^ b) * 16777619U; };
  mix(static_cast<uint8_t>(codec.codec));
  for (uint32_t shift = 0; shift < 32; shift += 8) mix(static_cast<uint8_t>(codec.clockRateHz >> shift));
  for (const char c : codec.profile) mix(static_cast<uint8_t>(c));
  return static_cast<uint32_t>(codec.codec) << 24 | (h & 0xFF'FFFF);
}

/// The codec of a format.
[[nodiscard]] constexpr Codec codecOf(uint32_t format) {
  return static_cast<Codec>(format >> 24);
}

}  // namespace sluice
