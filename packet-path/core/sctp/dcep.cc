#include "dcep.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

constexpr size_t kOpenFixedBytes = 12;
/// RFC 8832 §8.2.2: the low bits say how reliable, the highest that order does not matter.
constexpr uint8_t kReliable = 0x00;
constexpr uint8_t kMaxRetransmits = 0x01;
constexpr uint8_t kMaxLifeTime = 0x02;
constexpr uint8_t kUnorderedBit = 0x80;
/// RFC 8831 §6.4 "normal".
constexpr uint16_t kPriorityNormal = 256;

}  // namespace

std::vector<uint8_t> writeOpen(const ChannelSpec& spec) {
  uint8_t type = kReliable;
  uint32_t limit = 0;
  if (spec.maxRetransmits) {
    type = kMaxRetransmits;
    limit = *spec.maxRetransmits;
  } else if (spec.maxPacketLifeTimeMs) {
    type = kMaxLifeTime;
    limit = *spec.maxPacketLifeTimeMs;
  }
  std::vector<uint8_t> out(kOpenFixedBytes + spec.label.size() + spec.protocol.size());
  out[0] = static_cast<uint8_t>(ControlType::kOpen);
  out[1] = static_cast<uint8_t>(type | (spec.ordered ? 0 : kUnorderedBit));
  writeU16(&out[2], kPriorityNormal);
  writeU32(&out[4], limit);
  writeU16(&out[8], static_cast<uint16_t>(spec.label.size()));
  writeU16(&out[10], static_cast<uint16_t>(spec.protocol.size()));
  std::copy(spec.label.begin(), spec.label.end(), out.begin() + kOpenFixedBytes);
  std::copy(spec.protocol.begin(), spec.protocol.end(),
            out.begin() + static_cast<ptrdiff_t>(kOpenFixedBytes + spec.label.size()));
  return out;
}

std::optional<ChannelSpec> parseOpen(Bytes message) {
  if (message.size() < kOpenFixedBytes || message[0] != static_cast<uint8_t>(ControlType::kOpen)) return std::nullopt;
  const size_t labelBytes = readU16(&message[8]);
  const size_t protocolBytes = readU16(&message[10]);
  if (labelBytes > kMaxNameBytes || protocolBytes > kMaxNameBytes) return std::nullopt;
  if (message.size() < kOpenFixedBytes + labelBytes + protocolBytes) return std::nullopt;

  const auto limit = static_cast<uint16_t>(std::min(readU32(&message[4]), uint32_t{UINT16_MAX}));
  ChannelSpec spec;
  spec.ordered = (message[1] & kUnorderedBit) == 0;
  switch (message[1] & ~kUnorderedBit) {
    case kReliable:
      break;
    case kMaxRetransmits:
      spec.maxRetransmits = limit;
      break;
    case kMaxLifeTime:
      spec.maxPacketLifeTimeMs = limit;
      break;
    default:
      return std::nullopt;
  }
  const Bytes names = message.subspan(kOpenFixedBytes);
  spec.label.assign(names.begin(), names.begin() + static_cast<ptrdiff_t>(labelBytes));
  const Bytes protocol = names.subspan(labelBytes, protocolBytes);
  spec.protocol.assign(protocol.begin(), protocol.end());
  return spec;
}

}  // namespace sluice::sctp
