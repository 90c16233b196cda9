#include <doctest/doctest.h>

#include <random>

#include "core/sctp/chunks.h"
#include "core/sctp/crc32c.h"
#include "core/sctp/dcep.h"
#include "core/sctp/keyed_hash.h"
#include "core/sctp/received_tsns.h"
#include "core/sctp/ring.h"
#include "core/sctp/state_cookie.h"
#include "core/sctp/tsn.h"
#include "sctp_pair.h"

using namespace sluice;
using namespace sluice::sctp;
using namespace sluice::sctp::test;

TEST_CASE("sctp crc32c: RFC 3720 B.4 vectors, and both ways of computing it agree at every length") {
  CHECK(crc32c(bytesOf("123456789")) == 0xE3069283);
  CHECK(crc32c(std::vector<uint8_t>(32, 0x00)) == 0x8A9136AA);
  CHECK(crc32c(std::vector<uint8_t>(32, 0xFF)) == 0x62A8AB43);
  std::vector<uint8_t> ascending(32);
  for (size_t i = 0; i < 32; ++i) ascending[i] = static_cast<uint8_t>(i);
  CHECK(crc32c(ascending) == 0x46DD794E);
  std::mt19937 random(1);
  std::vector<uint8_t> bytes(200);
  for (uint8_t& b : bytes) b = static_cast<uint8_t>(random());
  for (size_t n = 0; n <= bytes.size(); ++n) {
    CHECK(crc32c(Bytes(bytes).first(n)) == crc32cByTable(Bytes(bytes).first(n)));
  }
}

TEST_CASE("sctp keyed hash: the reference vectors of SipHash-2-4") {
  HashKey key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  std::vector<uint8_t> input;
  for (const uint64_t expected : {0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL, 0x0d6c8009d9a94f5aULL,
                                  0x85676696d7fb7e2dULL, 0xcf2794e0277187b7ULL, 0x18765564cd99a68dULL,
                                  0xcbc9466e58fee3ceULL, 0xab0200f58b01d137ULL, 0x93f5f5799a932462ULL}) {
    CHECK(keyedHash(key, input) == expected);
    input.push_back(static_cast<uint8_t>(input.size()));
  }
}

TEST_CASE("sctp numbers: extended to the nearest, across the wrap both ways") {
  CHECK(extendTsn(5, 0xFFFFFFFF) == 0x100000005);
  CHECK(extendTsn(0xFFFFFFFE, 0x100000005) == 0xFFFFFFFE);
  CHECK(extendTsn(0xFFFFFFFF, 0) == -1);
  CHECK(extendSsn(2, 65'535) == 65'538);
  CHECK(extendSsn(65'535, 65'538) == 65'535);
}

TEST_CASE("sctp packet: one flipped bit anywhere is found") {
  std::vector<uint8_t> packet = {0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4, 0, 0, 0, 0, 11, 0, 0, 4};
  writeU32(&packet[8], packetChecksum(packet));
  REQUIRE(parsePacket(packet).has_value());
  CHECK(parsePacket(packet)->tag == 0x01020304);
  CHECK(parsePacket(packet)->sourcePort == 5'000);
  for (size_t bit = 0; bit < packet.size() * 8; ++bit) {
    packet[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    CHECK_FALSE(parsePacket(packet).has_value());
    packet[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
  }
  CHECK_FALSE(parsePacket(Bytes(packet).first(11)).has_value());
}

TEST_CASE("sctp chunks: padding is stepped over, a length that lies ends the walk") {
  const std::vector<uint8_t> two = {0, 1, 0, 6, 'a', 'b', 0, 0, 11, 2, 0, 5, 'c'};  // last padding missing
  ChunkReader reader(two);
  auto chunk = reader.next();
  REQUIRE(chunk);
  CHECK(chunk->type == ChunkType::kData);
  CHECK(chunk->value.size() == 2);
  chunk = reader.next();
  REQUIRE(chunk);
  CHECK(chunk->type == ChunkType::kCookieAck);
  CHECK(chunk->value.size() == 1);
  CHECK_FALSE(reader.next().has_value());
  CHECK_FALSE(reader.malformed());

  for (const uint8_t length : std::vector<uint8_t>{0, 3, 9}) {
    const std::vector<uint8_t> lying = {0, 0, 0, length, 1, 2, 3, 4};
    ChunkReader liar(lying);
    CHECK_FALSE(liar.next().has_value());
    CHECK(liar.malformed());
  }
}

TEST_CASE("sctp chunks: a SACK whose counts exceed its length is refused") {
  std::vector<uint8_t> sack = {3, 0, 0, 20, 0, 0, 0, 9, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5};
  ChunkReader reader(sack);
  const auto parsed = parseSack(*reader.next());
  REQUIRE(parsed);
  CHECK(parsed->cumulativeTsn == 9);
  CHECK(parsed->window == 65'536);
  REQUIRE(parsed->gaps == 1);
  CHECK(parsed->gap(0).first == 2);
  CHECK(parsed->gap(0).last == 5);
  sack[15] = 1;  // one duplicate more than there is
  CHECK_FALSE(parseSack(*ChunkReader(sack).next()).has_value());
}

TEST_CASE("sctp dcep: writing then parsing an OPEN is identity") {
  for (const bool ordered : {true, false}) {
    for (int limit = 0; limit < 3; ++limit) {
      ChannelSpec spec{.label = "_löss\xC3\xBF", .protocol = "p", .ordered = ordered};
      if (limit == 1) spec.maxRetransmits = 65'535;
      if (limit == 2) spec.maxPacketLifeTimeMs = 1;
      const auto parsed = parseOpen(writeOpen(spec));
      REQUIRE(parsed);
      CHECK(parsed->label == spec.label);
      CHECK(parsed->protocol == spec.protocol);
      CHECK(parsed->ordered == spec.ordered);
      CHECK(parsed->maxRetransmits == spec.maxRetransmits);
      CHECK(parsed->maxPacketLifeTimeMs == spec.maxPacketLifeTimeMs);
    }
  }
}

TEST_CASE("sctp dcep: what is cut short, of another type, or too long a name is no OPEN") {
  const std::vector<uint8_t> open = writeOpen({.label = "label", .protocol = "protocol"});
  for (size_t n = 0; n < open.size(); ++n) CHECK_FALSE(parseOpen(Bytes(open).first(n)).has_value());
  std::vector<uint8_t> bad = open;
  bad[1] = 0x03;
  CHECK_FALSE(parseOpen(bad).has_value());
  bad = open;
  bad[0] = 0x02;
  CHECK_FALSE(parseOpen(bad).has_value());
  CHECK(parseOpen(writeOpen({.label = std::string(kMaxNameBytes, 'x'), .protocol = ""})).has_value());
  CHECK_FALSE(parseOpen(writeOpen({.label = std::string(kMaxNameBytes + 1, 'x'), .protocol = ""})).has_value());
}

TEST_CASE("sctp cookie: reads back what was written, under its own key only") {
  const Random random(seedOf(1));
  const StateCookie cookie{.createdAtUs = 123'456'789,
                           .localTag = 1,
                           .localInitialTsn = 2,
                           .peer = {.tag = 3,
                                    .initialTsn = 4,
                                    .window = 5,
                                    .outgoingStreams = 6,
                                    .incomingStreams = 7,
                                    .forwardTsn = true,
                                    .reconfig = true},
                           .localTieTag = 8,
                           .peerTieTag = 9};
  StateCookie::Written written = cookie.write(random.key());
  const auto read = StateCookie::read(written, random.key());
  REQUIRE(read);
  CHECK(read->createdAtUs == 123'456'789);
  CHECK(read->localTag == 1);
  CHECK(read->localInitialTsn == 2);
  CHECK(read->peer.tag == 3);
  CHECK(read->peer.initialTsn == 4);
  CHECK(read->peer.window == 5);
  CHECK(read->peer.outgoingStreams == 6);
  CHECK(read->peer.incomingStreams == 7);
  CHECK(read->peer.forwardTsn);
  CHECK(read->peer.reconfig);
  CHECK(read->localTieTag == 8);
  CHECK(read->peerTieTag == 9);
  CHECK_FALSE(StateCookie::read(written, Random(seedOf(2)).key()).has_value());
  CHECK_FALSE(StateCookie::read(Bytes(written).first(StateCookie::kBytes - 1), random.key()).has_value());
  for (uint8_t& b : written) {
    b ^= 0x10;
    CHECK_FALSE(StateCookie::read(written, random.key()).has_value());
    b ^= 0x10;
  }
}

TEST_CASE("sctp received tsns: any order of arrival ends in the same cumulative number, and duplicates are told") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Tsn> order(1 + random() % 300);
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Tsn>(i) + 1;
    std::shuffle(order.begin(), order.end(), random);
    ReceivedTsns tsns(0);
    for (const Tsn tsn : order) {
      const auto arrival = tsns.classify(tsn);
      REQUIRE(arrival ==
              (tsn == tsns.cumulative() + 1 ? ReceivedTsns::Arrival::kNext : ReceivedTsns::Arrival::kBeyond));
      tsns.add(tsn);
      REQUIRE(tsns.classify(tsn) == ReceivedTsns::Arrival::kDuplicate);
      for (size_t i = 0; i < tsns.beyond().size(); ++i) {
        const auto& range = tsns.beyond()[i];
        REQUIRE(range.first <= range.last);
        REQUIRE(range.first > (i == 0 ? tsns.cumulative() : tsns.beyond()[i - 1].last) + 1);
      }
    }
    CHECK(tsns.cumulative() == static_cast<Tsn>(order.size()));
    CHECK(tsns.beyond().empty());
  }
}

TEST_CASE("sctp received tsns: gaps are bounded, and a forward TSN swallows them") {
  ReceivedTsns tsns(0);
  Tsn tsn = 2;
  while (tsns.classify(tsn) == ReceivedTsns::Arrival::kBeyond) {
    tsns.add(tsn);
    tsn += 2;
  }
  CHECK(tsns.beyond().size() == 512);
  CHECK(tsns.classify(tsn) == ReceivedTsns::Arrival::kTooFar);
  CHECK(tsns.classify(3) == ReceivedTsns::Arrival::kBeyond);  // closes a gap
  CHECK(tsns.classify(1) == ReceivedTsns::Arrival::kNext);
  CHECK(tsns.classify(70'000) == ReceivedTsns::Arrival::kTooFar);
  tsns.forwardTo(99);
  CHECK(tsns.cumulative() == 100);  // 100 was there
  tsns.forwardTo(50);
  CHECK(tsns.cumulative() == 100);
  tsns.forwardTo(5'000);
  CHECK(tsns.beyond().empty());
}

TEST_CASE("sctp ring: first in, first out, through growth and wrap") {
  Ring<size_t> ring;
  size_t in = 0;
  size_t out = 0;
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    if (random() % 100 < 52) {
      ring.push(in++);
    } else if (!ring.empty()) {
      REQUIRE(ring.pop() == out++);
    }
    REQUIRE(ring.size() == in - out);
    if (!ring.empty()) REQUIRE(ring[ring.size() - 1] == in - 1);
  }
  while (!ring.empty()) REQUIRE(ring.pop() == out++);
  CHECK(in == out);
}
