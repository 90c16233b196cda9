// Every reader of SCTP's bytes, on the input as it is, and as the chunks of a packet whose checksum is right.
#include <vector>

#include "core/sctp/chunks.h"
#include "core/sctp/crc32c.h"
#include "core/sctp/dcep.h"
#include "core/sctp/keyed_hash.h"
#include "core/sctp/state_cookie.h"
#include "input.h"

using namespace sluice;
using namespace sluice::sctp;
using fuzz::require;

namespace {

/// Touches every byte, so that a view beyond the input shows.
size_t sum(Bytes bytes) {
  size_t total = 0;
  for (const uint8_t b : bytes) total += b;
  return total;
}

size_t walkParameters(Bytes bytes) {
  size_t total = 0;
  ParameterReader reader(bytes);
  while (const auto parameter = reader.next()) total += sum(parameter->value) + sum(parameter->whole);
  return total;
}

size_t readChunk(const ChunkView& chunk) {
  size_t total = sum(chunk.whole) + walkParameters(chunk.value);
  if (const auto data = parseData(chunk)) {
    require(!data->payload.empty(), "DATA has user data");
    total += sum(data->payload);
    if (const auto spec = parseOpen(data->payload)) {
      require(spec->label.size() <= kMaxNameBytes && spec->protocol.size() <= kMaxNameBytes, "names are bounded");
      const auto again = parseOpen(writeOpen(*spec));
      require(again && again->label == spec->label && again->ordered == spec->ordered &&
                  again->maxRetransmits == spec->maxRetransmits,
              "an OPEN that was read reads back as written");
    }
  }
  if (const auto init = parseInit(chunk)) total += walkParameters(init->parameters);
  if (const auto sack = parseSack(chunk)) {
    for (size_t i = 0; i < sack->gaps; ++i) total += sack->gap(i).first;
  }
  if (const auto forward = parseForwardTsn(chunk)) {
    for (size_t i = 0; i < forward->streams; ++i) total += forward->skipped(i).ssn;
  }
  if (const auto cumulative = parseShutdown(chunk)) total += *cumulative;
  return total;
}

size_t readPacket(Bytes packet) {
  const auto view = parsePacket(packet);
  if (!view) return 0;
  size_t total = 0;
  ChunkReader reader(view->chunks);
  while (const auto chunk = reader.next()) total += readChunk(*chunk);
  return total;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  volatile size_t total = readPacket(input);
  if (parseOpen(input)) total = total + 1;
  require(!StateCookie::read(input, HashKey{}).has_value(), "no cookie is forged");
  if (size >= kCommonHeaderBytes) {
    std::vector<uint8_t> packet(input.begin(), input.end());
    writeU32(&packet[8], packetChecksum(packet));
    require(parsePacket(packet).has_value(), "a right checksum is accepted");
    total = total + readPacket(packet);
  }
  require(crc32c(input) == crc32cByTable(input), "both checksums agree");
  return 0;
}
