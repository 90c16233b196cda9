#include "chunks.h"

#include <algorithm>
#include <cstring>

#include "crc32c.h"

namespace sluice::sctp {
namespace {

// DATA flags (RFC 9260 §3.3.1).
constexpr uint8_t kFlagEnd = 0x01;
constexpr uint8_t kFlagBegin = 0x02;
constexpr uint8_t kFlagUnordered = 0x04;
constexpr uint8_t kFlagImmediate = 0x08;

constexpr size_t kDataValueBytes = kDataHeaderBytes - kChunkHeaderBytes;
constexpr size_t kInitValueBytes = 16;
constexpr size_t kSackValueBytes = 12;
constexpr size_t kForwardTsnValueBytes = 4;

/// Cuts the element of `length` bytes and its padding off `rest`. The last one's padding may be missing.
Bytes cut(Bytes& rest, size_t length) {
  const Bytes whole = rest.first(length);
  rest = rest.subspan(std::min(padded(length), rest.size()));
  return whole;
}

}  // namespace

std::optional<PacketView> parsePacket(Bytes packet) {
  if (packet.size() < kCommonHeaderBytes) return std::nullopt;
  if (readU32(&packet[8]) != packetChecksum(packet)) return std::nullopt;
  return PacketView{.sourcePort = readU16(&packet[0]),
                    .destinationPort = readU16(&packet[2]),
                    .tag = readU32(&packet[4]),
                    .chunks = packet.subspan(kCommonHeaderBytes)};
}

std::optional<ChunkView> ChunkReader::next() {
  if (rest_.empty() || malformed_) return std::nullopt;
  const size_t length = rest_.size() < kChunkHeaderBytes ? 0 : readU16(&rest_[2]);
  if (length < kChunkHeaderBytes || length > rest_.size()) {
    malformed_ = true;
    return std::nullopt;
  }
  const Bytes whole = cut(rest_, length);
  return ChunkView{.type = static_cast<ChunkType>(whole[0]),
                   .flags = whole[1],
                   .value = whole.subspan(kChunkHeaderBytes),
                   .whole = whole};
}

std::optional<ParameterView> ParameterReader::next() {
  if (rest_.empty() || malformed_) return std::nullopt;
  const size_t length = rest_.size() < kParameterHeaderBytes ? 0 : readU16(&rest_[2]);
  if (length < kParameterHeaderBytes || length > rest_.size()) {
    malformed_ = true;
    return std::nullopt;
  }
  const Bytes whole = cut(rest_, length);
  return ParameterView{.type = readU16(&whole[0]), .value = whole.subspan(kParameterHeaderBytes), .whole = whole};
}

bool isUnknown(ChunkType type) {
  switch (type) {
    case ChunkType::kData:
    case ChunkType::kInit:
    case ChunkType::kInitAck:
    case ChunkType::kSack:
    case ChunkType::kHeartbeat:
    case ChunkType::kHeartbeatAck:
    case ChunkType::kAbort:
    case ChunkType::kShutdown:
    case ChunkType::kShutdownAck:
    case ChunkType::kError:
    case ChunkType::kCookieEcho:
    case ChunkType::kCookieAck:
    case ChunkType::kShutdownComplete:
    case ChunkType::kReconfig:
    case ChunkType::kForwardTsn:
      return false;
  }
  return true;
}

std::optional<DataChunk> parseData(const ChunkView& chunk) {
  const Bytes v = chunk.value;
  if (v.size() <= kDataValueBytes) return std::nullopt;  // user data is never empty (§3.3.1)
  return DataChunk{.tsn = readU32(&v[0]),
                   .stream = readU16(&v[4]),
                   .ssn = readU16(&v[6]),
                   .payloadProtocol = readU32(&v[8]),
                   .begin = (chunk.flags & kFlagBegin) != 0,
                   .end = (chunk.flags & kFlagEnd) != 0,
                   .unordered = (chunk.flags & kFlagUnordered) != 0,
                   .immediate = (chunk.flags & kFlagImmediate) != 0,
                   .payload = v.subspan(kDataValueBytes)};
}

std::optional<InitChunk> parseInit(const ChunkView& chunk) {
  const Bytes v = chunk.value;
  if (v.size() < kInitValueBytes) return std::nullopt;
  return InitChunk{.tag = readU32(&v[0]),
                   .window = readU32(&v[4]),
                   .outgoingStreams = readU16(&v[8]),
                   .incomingStreams = readU16(&v[10]),
                   .initialTsn = readU32(&v[12]),
                   .parameters = v.subspan(kInitValueBytes)};
}

std::optional<SackChunk> parseSack(const ChunkView& chunk) {
  const Bytes v = chunk.value;
  if (v.size() < kSackValueBytes) return std::nullopt;
  const size_t gaps = readU16(&v[8]);
  const size_t duplicates = readU16(&v[10]);
  if (v.size() < kSackValueBytes + 4 * (gaps + duplicates)) return std::nullopt;
  return SackChunk{.cumulativeTsn = readU32(&v[0]),
                   .window = readU32(&v[4]),
                   .gaps = gaps,
                   .gapBytes = v.subspan(kSackValueBytes, 4 * gaps)};
}

std::optional<ForwardTsnChunk> parseForwardTsn(const ChunkView& chunk) {
  const Bytes v = chunk.value;
  if (v.size() < kForwardTsnValueBytes) return std::nullopt;
  const size_t streams = (v.size() - kForwardTsnValueBytes) / 4;
  return ForwardTsnChunk{.cumulativeTsn = readU32(&v[0]),
                         .streams = streams,
                         .streamBytes = v.subspan(kForwardTsnValueBytes, 4 * streams)};
}

std::optional<uint32_t> parseShutdown(const ChunkView& chunk) {
  if (chunk.value.size() < 4) return std::nullopt;
  return readU32(chunk.value.data());
}

uint8_t dataFlags(const DataChunk& data) {
  return static_cast<uint8_t>((data.end ? kFlagEnd : 0) | (data.begin ? kFlagBegin : 0) |
                              (data.unordered ? kFlagUnordered : 0) | (data.immediate ? kFlagImmediate : 0));
}

void writeDataValue(uint8_t* value, const DataChunk& data) {
  writeU32(value, data.tsn);
  writeU16(value + 4, data.stream);
  writeU16(value + 6, data.ssn);
  writeU32(value + 8, data.payloadProtocol);
  std::memcpy(value + kDataValueBytes, data.payload.data(), data.payload.size());
}

uint8_t* writeParameterHeader(uint8_t* at, uint16_t type, size_t valueBytes) {
  writeU16(at, type);
  writeU16(at + 2, static_cast<uint16_t>(kParameterHeaderBytes + valueBytes));
  return at + kParameterHeaderBytes;
}

}  // namespace sluice::sctp
