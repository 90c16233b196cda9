// What a simulated source writes at the end of each payload, for the sink at the other end to judge what arrived: no
// format in between has to be understood, and nothing that forwards media touches it.
#pragma once

#include <algorithm>
#include <optional>

#include "../core/wire/types.h"

namespace sluice::peer {

struct Mark {
  uint32_t source = 0;     ///< whose it is: the same for all encodings of one source
  uint32_t frame = 0;      ///< counts the encoding's frames from 1
  uint32_t reference = 0;  ///< the frame that this one cannot be decoded without; 0: none
  TimeUs sentAtUs = 0;     ///< on the source's clock
  uint8_t encoding = 0;
  uint8_t temporalLayer = 0;
  uint8_t part = 0;  ///< which packet of the frame
  uint8_t parts = 1;
  friend bool operator==(const Mark&, const Mark&) = default;
};

inline constexpr size_t kMarkBytes = 28;
inline constexpr uint32_t kMarkMagic = 0x534C'4D31;  // "SLM1"

/// `out` has kMarkBytes.
inline void writeMark(const Mark& mark, MutableBytes out) {
  uint8_t* p = out.data();
  writeU32(p, mark.source);
  writeU32(p + 4, mark.frame);
  writeU32(p + 8, mark.reference);
  writeU64(p + 12, static_cast<uint64_t>(mark.sentAtUs));
  p[20] = mark.encoding;
  p[21] = mark.temporalLayer;
  p[22] = mark.part;
  p[23] = mark.parts;
  writeU32(p + 24, kMarkMagic);
}

/// Empty when the payload is no simulated source's.
[[nodiscard]] inline std::optional<Mark> readMark(Bytes payload) {
  if (payload.size() < kMarkBytes) return {};
  const uint8_t* p = payload.last(kMarkBytes).data();
  if (readU32(p + 24) != kMarkMagic) return {};
  Mark mark;
  mark.source = readU32(p);
  mark.frame = readU32(p + 4);
  mark.reference = readU32(p + 8);
  mark.sentAtUs = static_cast<TimeUs>(readU64(p + 12));
  mark.encoding = p[20];
  mark.temporalLayer = p[21];
  mark.part = p[22];
  mark.parts = p[23];
  return mark;
}

}  // namespace sluice::peer
