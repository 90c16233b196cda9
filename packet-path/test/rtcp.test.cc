#include "core/wire/rtcp.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

using namespace sluice;
using namespace sluice::wire;

namespace {

// One block, and that it is the only one.
RtcpBlock only(Bytes compound) {
  RtcpReader reader(compound);
  const auto block = reader.next();
  REQUIRE(block);
  REQUIRE_FALSE(reader.next());
  REQUIRE_FALSE(reader.malformed());
  return *block;
}

std::vector<int64_t> randomArrivals(std::mt19937& random) {
  std::vector<int64_t> arrivals(1 + random() % 400);
  int64_t at = static_cast<int64_t>(random() % 100'000'000);
  const size_t loss = random() % 4 == 0 ? 0 : random() % 90;
  const size_t gap = std::array<size_t, 4>{2, 40, 400, 20'000}[random() % 4];
  for (auto& a : arrivals) {
    at += static_cast<int64_t>(random() % gap) - (random() % 5 == 0 ? static_cast<int64_t>(gap / 3) : 0);
    a = random() % 100 < loss ? kNotReceived : at;
  }
  arrivals[0] = at;
  return arrivals;
}

}  // namespace

TEST_CASE("rtcp: a compound of every packet reads back what was written") {
  std::array<uint8_t, 1'200> buffer{};
  RtcpWriter writer(buffer);
  const SenderInfo info{7, 0x0123456789ABCDEF, 90'000, 12, 3'400};
  const std::array<ReportBlock, 2> blocks{ReportBlock{1, 25, -3, 0x0001FFFE, 77, 0xAABBCCDD, 65'536},
                                          ReportBlock{2, 255, 0x7FFFFF, 9, 0, 0, 0}};
  CHECK(writer.senderReport(info, blocks));
  CHECK(writer.receiverReport(8, blocks));
  CHECK(writer.canonicalName(7, "speaker@sluice"));
  CHECK(writer.pli(1, 2));
  CHECK(writer.fir(1, 2, 9));
  CHECK(writer.bye(7));

  RtcpReader reader(writer.written());
  auto b = reader.next();
  REQUIRE(b);
  CHECK(readSenderInfo(*b) == info);
  for (int pass = 0; pass < 2; ++pass) {
    ReportBlocks reports(*b);
    CHECK(reports.next() == blocks[0]);
    CHECK(reports.next() == blocks[1]);
    CHECK_FALSE(reports.next());
    if (pass == 0) b = reader.next();
    REQUIRE(b);
  }
  CHECK(b->type == RtcpType::kReceiverReport);
  b = reader.next();
  REQUIRE(b);
  const auto name = readCanonicalName(*b);
  REQUIRE(name);
  CHECK(name->ssrc == 7);
  CHECK(name->name == "speaker@sluice");
  b = reader.next();
  REQUIRE(b);
  CHECK(b->type == RtcpType::kPayloadFeedback);
  CHECK(b->count == kPliFormat);
  CHECK(readFeedback(*b)->media == 2);
  b = reader.next();
  REQUIRE(b);
  CHECK(b->count == kFirFormat);
  readFullIntraRequests(readFeedback(*b)->control, [](Ssrc ssrc) { CHECK(ssrc == 2); });
  b = reader.next();
  REQUIRE(b);
  readBye(*b, [](Ssrc ssrc) { CHECK(ssrc == 7); });
  CHECK_FALSE(reader.next());
  CHECK_FALSE(reader.malformed());
}

TEST_CASE("rtcp: a nack names the same numbers when read, through the wrap") {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<uint16_t> seqs;
    auto seq = static_cast<uint16_t>(random());
    for (size_t i = 0, n = 1 + random() % 60; i < n; ++i) {
      seqs.push_back(seq);
      seq = static_cast<uint16_t>(seq + 1 + (random() % 3 == 0 ? random() % 40 : 0));
    }
    std::array<uint8_t, 1'200> buffer{};
    RtcpWriter writer(buffer);
    REQUIRE(writer.nack(1, 0xFEED, seqs));
    const auto feedback = readFeedback(only(writer.written()));
    REQUIRE(feedback);
    CHECK(feedback->media == 0xFEED);
    std::vector<uint16_t> read;
    readNacks(feedback->control, [&read](uint16_t s) { read.push_back(s); });
    CHECK(read == seqs);
  }
}

TEST_CASE("rtcp: remb keeps its 18 bits of mantissa") {
  std::array<uint8_t, 64> buffer{};
  for (uint64_t bps : {uint64_t{0}, uint64_t{1}, uint64_t{0x3FFFF}, uint64_t{2'500'000}, uint64_t{1} << 60}) {
    RtcpWriter writer(buffer);
    REQUIRE(writer.remb(1, bps, std::array<Ssrc, 2>{5, 6}));
    const auto remb = readRemb(readFeedback(only(writer.written()))->control);
    REQUIRE(remb);
    CHECK(remb->bitsPerSecond <= bps);
    CHECK(remb->bitsPerSecond >= bps - bps / 131'072);
    CHECK(remb->ssrcs.size() == 8);
  }
  // 63 bits of exponent over a mantissa of more than one bit is no bitrate.
  const std::array<uint8_t, 8> absurd{'R', 'E', 'M', 'B', 0, 0xFF, 0xFF, 0xFF};
  CHECK_FALSE(readRemb(absurd));
}

TEST_CASE("rtcp: what does not fit is left out whole") {
  std::array<uint8_t, 20> buffer{};
  RtcpWriter writer(buffer);
  CHECK(writer.pli(1, 2));
  CHECK_FALSE(writer.pli(1, 2));
  CHECK(writer.size() == 12);
  CHECK(writer.bye(1));
  CHECK(writer.size() == 20);
}

TEST_CASE("rtcp: a compound that ends inside a packet is malformed, and what came before it was read") {
  std::array<uint8_t, 64> buffer{};
  RtcpWriter writer(buffer);
  REQUIRE(writer.pli(1, 2));
  REQUIRE(writer.pli(3, 4));
  RtcpReader reader(writer.written().first(20));
  CHECK(reader.next());
  CHECK_FALSE(reader.next());
  CHECK(reader.malformed());
}

TEST_CASE("transport feedback: arrivals read back tick for tick, in as many messages as the gaps need") {
  std::mt19937 random(11);
  for (int round = 0; round < 1'000; ++round) {
    const auto arrivals = randomArrivals(random);
    const auto base = static_cast<uint16_t>(random());
    std::vector<int64_t> read;
    size_t at = 0;
    uint8_t count = 0;
    while (at < arrivals.size()) {
      if (arrivals[at] == kNotReceived) {  // no message begins with a lost packet
        read.push_back(kNotReceived);
        ++at;
        continue;
      }
      std::array<uint8_t, 1'200> buffer{};
      RtcpWriter writer(MutableBytes(buffer).first(round % 3 == 0 ? 60 : 1'200));
      const size_t covered =
          writer.transportFeedback(1, 2, static_cast<uint16_t>(base + at), count++, std::span(arrivals).subspan(at));
      REQUIRE(covered > 0);
      auto reader = TransportFeedbackReader::open(readFeedback(only(writer.written()))->control);
      REQUIRE(reader);
      CHECK(reader->packets() == covered);
      CHECK(reader->baseSeq() == static_cast<uint16_t>(base + at));
      for (size_t i = 0; i < covered; ++i) {
        const auto status = reader->next();
        REQUIRE(status);
        CHECK(status->seq == static_cast<uint16_t>(base + at + i));
        read.push_back(status->arrivalTicks);
      }
      CHECK_FALSE(reader->next());
      at += covered;
    }
    REQUIRE(read.size() == arrivals.size());
    CHECK(read == arrivals);
  }
}

TEST_CASE("transport feedback: a run of equal packets is one chunk") {
  std::vector<int64_t> arrivals(1'000);
  for (size_t i = 0; i < arrivals.size(); ++i) arrivals[i] = static_cast<int64_t>(256 + i);
  std::array<uint8_t, 1'200> buffer{};
  RtcpWriter writer(buffer);
  CHECK(writer.transportFeedback(1, 2, 0, 0, arrivals) == 1'000);
  CHECK(writer.size() == 4 + 8 + 8 + (2 + 1'000 + 3) / 4 * 4);
}
