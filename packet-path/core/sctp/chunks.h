// SCTP packets, chunks and parameters as views of the bytes they came in (RFC 9260 §3, RFC 3758 §3, RFC 6525 §3-4).
// Stateless, allocation-free; everything that leaves here has the length its type needs.
#pragma once

#include <cstdint>
#include <optional>

#include "../wire/types.h"
#include "types.h"

namespace sluice::sctp {

enum class ChunkType : uint8_t {
  kData = 0,
  kInit = 1,
  kInitAck = 2,
  kSack = 3,
  kHeartbeat = 4,
  kHeartbeatAck = 5,
  kAbort = 6,
  kShutdown = 7,
  kShutdownAck = 8,
  kError = 9,
  kCookieEcho = 10,
  kCookieAck = 11,
  kShutdownComplete = 14,
  kReconfig = 130,    // RFC 6525 §3.1
  kForwardTsn = 192,  // RFC 3758 §3.2
};

enum class ParameterType : uint16_t {
  kStateCookie = 7,
  kUnrecognizedParameter = 8,
  kOutgoingReset = 13,           // RFC 6525 §4.1
  kIncomingReset = 14,           // §4.2
  kSsnTsnReset = 15,             // §4.3
  kReconfigResponse = 16,        // §4.4
  kAddOutgoingStreams = 17,      // §4.5
  kAddIncomingStreams = 18,      // §4.6
  kSupportedExtensions = 32776,  // RFC 5061 §4.2.7
  kForwardTsnSupported = 49152,  // RFC 3758 §3.1
};

enum class ErrorCause : uint16_t {
  kStaleCookie = 3,
  kUnrecognizedChunk = 6,
  kInvalidMandatoryParameter = 7,
  kUnrecognizedParameters = 8,
  kUserInitiatedAbort = 12,
  kProtocolViolation = 13,
};

inline constexpr size_t kCommonHeaderBytes = 12;
inline constexpr size_t kChunkHeaderBytes = 4;
inline constexpr size_t kParameterHeaderBytes = 4;
/// A DATA chunk's fixed part, with the chunk header.
inline constexpr size_t kDataHeaderBytes = 16;
/// ABORT and SHUTDOWN COMPLETE: the tag is the receiver's own, reflected (RFC 9260 §3.3.7, §3.3.13).
inline constexpr uint8_t kFlagTagReflected = 0x01;

/// Chunks, parameters and causes start on multiples of four (RFC 9260 §3.2).
constexpr size_t padded(size_t bytes) {
  return (bytes + 3) & ~size_t{3};
}

struct PacketView {
  uint16_t sourcePort = 0;
  uint16_t destinationPort = 0;
  uint32_t tag = 0;
  Bytes chunks;
};

/// Nothing when the packet is too short or its checksum is wrong.
[[nodiscard]] std::optional<PacketView> parsePacket(Bytes packet);

struct ChunkView {
  ChunkType type{};  ///< any value, known or not
  uint8_t flags = 0;
  Bytes value;  ///< without header and padding
  Bytes whole;  ///< with header, without padding
};

/// Walks the chunks of a packet. Ends at the first that does not fit.
class ChunkReader {
 public:
  explicit ChunkReader(Bytes chunks) : rest_(chunks) {}
  [[nodiscard]] std::optional<ChunkView> next();
  /// The walk ended at something that is no chunk.
  [[nodiscard]] bool malformed() const { return malformed_; }
  [[nodiscard]] bool atEnd() const { return rest_.empty(); }

 private:
  Bytes rest_;
  bool malformed_ = false;
};

/// A parameter (RFC 9260 §3.2.1) or an error cause (§3.3.10): they have the same form.
struct ParameterView {
  uint16_t type = 0;
  Bytes value;
  Bytes whole;
};

class ParameterReader {
 public:
  explicit ParameterReader(Bytes parameters) : rest_(parameters) {}
  [[nodiscard]] std::optional<ParameterView> next();
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  Bytes rest_;
  bool malformed_ = false;
};

/// Not one of the above.
[[nodiscard]] bool isUnknown(ChunkType type);

/// What to do with a type that is not known: its two upper bits say (RFC 9260 §3.2, §3.2.1).
struct UnknownTypeRule {
  bool goOn = false;
  bool report = false;
};
constexpr UnknownTypeRule unknownChunkRule(ChunkType type) {
  const auto bits = static_cast<uint8_t>(type);
  return {.goOn = (bits & 0x80) != 0, .report = (bits & 0x40) != 0};
}
constexpr UnknownTypeRule unknownParameterRule(uint16_t type) {
  return {.goOn = (type & 0x8000) != 0, .report = (type & 0x4000) != 0};
}

struct DataChunk {
  uint32_t tsn = 0;
  StreamId stream = 0;
  uint16_t ssn = 0;
  uint32_t payloadProtocol = 0;
  bool begin = false;
  bool end = false;
  bool unordered = false;
  bool immediate = false;  ///< the sender wants its SACK now (RFC 9260 §3.3.1, the I bit)
  Bytes payload;
};

/// INIT and INIT ACK.
struct InitChunk {
  uint32_t tag = 0;
  uint32_t window = 0;
  uint16_t outgoingStreams = 0;
  uint16_t incomingStreams = 0;
  uint32_t initialTsn = 0;
  Bytes parameters;
};

struct SackChunk {
  uint32_t cumulativeTsn = 0;
  uint32_t window = 0;
  size_t gaps = 0;
  Bytes gapBytes;

  struct Gap {
    uint16_t first = 0;  ///< offset from the cumulative TSN
    uint16_t last = 0;
  };
  [[nodiscard]] Gap gap(size_t i) const { return {readU16(&gapBytes[i * 4]), readU16(&gapBytes[i * 4 + 2])}; }
};

struct ForwardTsnChunk {
  uint32_t cumulativeTsn = 0;
  size_t streams = 0;
  Bytes streamBytes;

  struct Skipped {
    StreamId stream = 0;
    uint16_t ssn = 0;
  };
  [[nodiscard]] Skipped skipped(size_t i) const {
    return {readU16(&streamBytes[i * 4]), readU16(&streamBytes[i * 4 + 2])};
  }
};

[[nodiscard]] std::optional<DataChunk> parseData(const ChunkView& chunk);
[[nodiscard]] std::optional<InitChunk> parseInit(const ChunkView& chunk);
[[nodiscard]] std::optional<SackChunk> parseSack(const ChunkView& chunk);
[[nodiscard]] std::optional<ForwardTsnChunk> parseForwardTsn(const ChunkView& chunk);
/// SHUTDOWN carries the cumulative TSN and nothing else.
[[nodiscard]] std::optional<uint32_t> parseShutdown(const ChunkView& chunk);

/// Writes a DATA chunk's flags and fixed part; the payload follows at `value` + 12.
uint8_t dataFlags(const DataChunk& data);
void writeDataValue(uint8_t* value, const DataChunk& data);

/// Writes a parameter header; its value, `valueBytes` long, follows. Returns where that goes.
uint8_t* writeParameterHeader(uint8_t* at, uint16_t type, size_t valueBytes);

}  // namespace sluice::sctp
