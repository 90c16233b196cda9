#include "core/wire/rtp.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "core/wire/header_extensions.h"

using namespace sluice;
using namespace sluice::wire;

namespace {

std::vector<uint8_t> packet(std::initializer_list<int> bytes) {
  std::vector<uint8_t> out;
  for (int b : bytes) out.push_back(static_cast<uint8_t>(b));
  return out;
}

}  // namespace

TEST_CASE("rtp: reads the fixed header, CSRCs, extension and padding of RFC 3550 §5.1") {
  const auto bytes =
      packet({0xB1, 0xE0, 0x12, 0x34, 1,    2,    3, 4, 0xAA, 0xBB, 0xCC, 0xDD,  // P, X, one CSRC, M, PT 96
              9,    9,    9,    9,                                               // the CSRC
              0xBE, 0xDE, 0,    1,    0x10, 0x7F, 0, 0,                          // id 1, one byte
              'h',  'i',  0,    2});
  const auto h = parseRtp(bytes);
  REQUIRE(h);
  CHECK(h->marker);
  CHECK(h->payloadType == 96);
  CHECK(h->seq == 0x1234);
  CHECK(h->timestamp == 0x01020304);
  CHECK(h->ssrc == 0xAABBCCDD);
  CHECK(h->extensionForm == ExtensionForm::kOneByte);
  CHECK(h->extensionOffset == 20);
  CHECK(h->extensionSize == 4);
  CHECK(h->payloadOffset == 24);
  CHECK(h->payloadSize == 2);
}

TEST_CASE("rtp: a packet whose parts do not fit its bytes is refused") {
  const auto whole = packet({0xB1, 0xE0, 0x12, 0x34, 1, 2, 3, 4, 0xAA, 0xBB, 0xCC, 0xDD, 9, 9,
                             9,    9,    0xBE, 0xDE, 0, 1, 0, 0, 0,    0,    'h',  'i',  0, 2});
  REQUIRE(parseRtp(whole));
  for (size_t cut = 0; cut < 25; ++cut) CHECK_FALSE(parseRtp(Bytes(whole).first(cut)));
  auto wrong = whole;
  wrong.back() = 0;  // padding that does not count itself
  CHECK_FALSE(parseRtp(wrong));
  wrong.back() = 5;  // more padding than bytes after the header
  CHECK_FALSE(parseRtp(wrong));
  wrong = whole;
  wrong[0] = 0x71;  // version 1
  CHECK_FALSE(parseRtp(wrong));
}

TEST_CASE("rtp: one-byte elements end at id 15, at an id 0 with a length and at the block's end (RFC 8285 §4.2)") {
  const auto elements = packet({0x11, 1, 2, 0, 0x20, 3, 0xF0, 0x30, 4});
  ExtensionReader reader(elements, ExtensionForm::kOneByte);
  auto e = reader.next();
  REQUIRE(e);
  CHECK(e->id == 1);
  CHECK(e->data.size() == 2);
  e = reader.next();
  REQUIRE(e);
  CHECK(e->id == 2);
  CHECK_FALSE(reader.next());

  const auto short_ = packet({0x13, 1, 2});
  CHECK_FALSE(ExtensionReader(short_, ExtensionForm::kOneByte).next());
  const auto zero = packet({0x01, 1, 2, 0x20, 3});
  CHECK_FALSE(ExtensionReader(zero, ExtensionForm::kOneByte).next());
}

TEST_CASE("rtp: two-byte elements may be empty, long and of any id (RFC 8285 §4.3)") {
  const auto elements = packet({200, 0, 0, 15, 3, 7, 8, 9});
  ExtensionReader reader(elements, ExtensionForm::kTwoByte);
  auto e = reader.next();
  REQUIRE(e);
  CHECK(e->id == 200);
  CHECK(e->data.empty());
  e = reader.next();
  REQUIRE(e);
  CHECK(e->id == 15);
  CHECK(e->data[2] == 9);
  CHECK_FALSE(reader.next());
}

TEST_CASE("rtp: a written header reads back, whatever its elements are") {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::pair<uint8_t, std::vector<uint8_t>>> elements(random() % 6);
    ExtensionForm form = ExtensionForm::kOneByte;
    size_t elementBytes = 0;
    for (auto& [id, data] : elements) {
      const bool small = random() % 4 != 0;
      id = static_cast<uint8_t>(small ? 1 + random() % 14 : 1 + random() % 255);
      data.resize(small ? 1 + random() % 16 : random() % 80);
      for (auto& b : data) b = static_cast<uint8_t>(random());
      if (formFor(id, data.size()) == ExtensionForm::kTwoByte) form = ExtensionForm::kTwoByte;
    }
    for (const auto& [id, data] : elements) elementBytes += RtpHeaderWriter::elementBytes(form, data.size());

    std::vector<uint8_t> out(1'000);
    RtpHeaderWriter writer(out, form);
    const auto seq = static_cast<uint16_t>(random());
    const auto timestamp = static_cast<uint32_t>(random());
    writer.fixed(97, round % 2 == 0, seq, timestamp, 0xFEED, false);
    for (const auto& [id, data] : elements) (void)writer.add(id, data);
    const size_t size = writer.finish();
    REQUIRE(size == RtpHeaderWriter::headerBytes(elementBytes));
    out.resize(size + 3);

    const auto h = parseRtp(out);
    REQUIRE(h);
    CHECK(h->payloadType == 97);
    CHECK(h->marker == (round % 2 == 0));
    CHECK(h->seq == seq);
    CHECK(h->timestamp == timestamp);
    CHECK(h->ssrc == 0xFEED);
    CHECK(h->payloadOffset == size);
    CHECK(h->payloadSize == 3);
    ExtensionReader reader(Bytes(out).subspan(h->extensionOffset, h->extensionSize), h->extensionForm);
    for (const auto& [id, data] : elements) {
      const auto e = reader.next();
      REQUIRE(e);
      CHECK(e->id == id);
      CHECK(std::equal(e->data.begin(), e->data.end(), data.begin(), data.end()));
    }
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("header extensions: every kind has a URI, and the URI names the kind") {
  for (size_t i = 1; i < static_cast<size_t>(ExtensionKind::kCount); ++i) {
    const auto kind = static_cast<ExtensionKind>(i);
    CHECK_FALSE(extensionUri(kind).empty());
    CHECK(extensionKind(extensionUri(kind)) == kind);
  }
  CHECK(extensionKind("urn:nobody:knows") == ExtensionKind::kNone);
  CHECK(extensionKind("") == ExtensionKind::kNone);
}

TEST_CASE("header extensions: one id has one kind and one kind one id") {
  ExtensionMap map;
  map.set(ExtensionKind::kMid, 4);
  map.set(ExtensionKind::kMid, 5);
  CHECK(map.kind(4) == ExtensionKind::kNone);
  CHECK(map.id(ExtensionKind::kMid) == 5);
  map.set(ExtensionKind::kRid, 5);
  CHECK(map.id(ExtensionKind::kMid) == 0);
  CHECK(map.kind(5) == ExtensionKind::kRid);
  map.set(ExtensionKind::kRid, 0);
  CHECK(map.kind(5) == ExtensionKind::kNone);
  CHECK(map.kind(0) == ExtensionKind::kNone);
}
