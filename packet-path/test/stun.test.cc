#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/wire/stun.h"
#include "hex.h"

using namespace sluice;
using namespace sluice::wire;
using sluice::test::hex;

namespace {

// RFC 5769 §2.1 … §2.3.
const std::string kPassword = "VOkJxbRl1RmTxUk/WvJxBt";
const char* kSampleRequest = R"(
  00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
  80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74
  00 24 00 04 6e 00 01 ff
  80 29 00 08 93 2f f9 b1 51 26 3b 36
  00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20
  00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2
  80 28 00 04 e5 7a 3b cf)";
const char* kSampleIpv4Response = R"(
  01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
  80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
  00 20 00 08 00 01 a1 47 e1 12 a6 43
  00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7
  80 28 00 04 c0 7d 4c 96)";
const char* kSampleIpv6Response = R"(
  01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
  80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
  00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9
  00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41
  80 28 00 04 c8 fb 0b 4c)";

const StunTransactionId kTransaction = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

std::vector<uint8_t> request(const BindingRequest& r, const HmacSha1& key) {
  std::vector<uint8_t> out(kMaxStunBytes);
  out.resize(writeBindingRequest(out, r, key));
  return out;
}

Address v4(uint8_t last, uint16_t port) {
  Address a;
  a.family = 4;
  a.port = port;
  a.ip[0] = 192;
  a.ip[2] = 2;
  a.ip[3] = last;
  return a;
}

}  // namespace

TEST_CASE("stun: reads the sample request of RFC 5769 §2.1") {
  const auto bytes = hex(kSampleRequest);
  const auto m = StunMessage::parse(bytes);
  REQUIRE(m);
  CHECK(m->kind == StunClass::kRequest);
  CHECK(m->method == kStunBinding);
  CHECK(m->username == "evtj:h6vY");
  CHECK(m->receiverFragment() == "evtj");
  CHECK(m->priority == 0x6e0001ffU);
  CHECK(m->iceControlled == 0x932ff9b151263b36ULL);
  CHECK(!m->iceControlling);
  CHECK(!m->useCandidate);
  CHECK(m->hasFingerprint);
  CHECK(m->unknownCount == 0);
  CHECK(m->hasIntegrity(stunKey(kPassword)));
  CHECK(!m->hasIntegrity(stunKey("another")));
}

TEST_CASE("stun: reads the sample responses of RFC 5769 §2.2 and §2.3") {
  const auto four = hex(kSampleIpv4Response);
  const auto m4 = StunMessage::parse(four);
  REQUIRE(m4);
  CHECK(m4->kind == StunClass::kSuccess);
  CHECK(m4->hasIntegrity(stunKey(kPassword)));
  CHECK(m4->mappedAddress == v4(1, 32853));

  const auto six = hex(kSampleIpv6Response);
  const auto m6 = StunMessage::parse(six);
  REQUIRE(m6);
  CHECK(m6->hasIntegrity(stunKey(kPassword)));
  REQUIRE(m6->mappedAddress);
  CHECK(m6->mappedAddress->family == 6);
  CHECK(m6->mappedAddress->port == 32853);
  const auto expected = hex("20010db8 12345678 00112233 44556677");
  CHECK(std::equal(expected.begin(), expected.end(), m6->mappedAddress->ip));
}

TEST_CASE("stun: what is written reads back, for every kind of message") {
  const HmacSha1 key = stunKey("a password of somebody");
  BindingRequest r;
  r.transaction = kTransaction;
  r.username = "their:mine";
  r.priority = 0x12345678;
  r.tieBreaker = 0x1122334455667788ULL;
  SUBCASE("a request that nominates") {
    r.useCandidate = true;
    const auto bytes = request(r, key);
    const auto m = StunMessage::parse(bytes);
    REQUIRE(m);
    CHECK(m->transaction == kTransaction);
    CHECK(m->username == r.username);
    CHECK(m->priority == r.priority);
    CHECK(m->iceControlling == r.tieBreaker);
    CHECK(m->useCandidate);
    CHECK(m->hasFingerprint);
    CHECK(m->hasIntegrity(key));
  }
  SUBCASE("a request of a controlled agent") {
    r.controlling = false;
    const auto bytes = request(r, key);
    const auto m = StunMessage::parse(bytes);
    REQUIRE(m);
    CHECK(m->iceControlled == r.tieBreaker);
    CHECK(!m->useCandidate);
  }
  SUBCASE("success answers of both families") {
    Address six;
    six.family = 6;
    six.port = 1;
    for (size_t i = 0; i < 16; ++i) six.ip[i] = static_cast<uint8_t>(0xF0 + i);
    for (const Address& a : {v4(77, 65535), six}) {
      std::vector<uint8_t> out(kMaxStunBytes);
      out.resize(writeBindingSuccess(out, kTransaction, a, key));
      const auto m = StunMessage::parse(out);
      REQUIRE(m);
      CHECK(m->kind == StunClass::kSuccess);
      CHECK(m->mappedAddress == a);
      CHECK(m->hasIntegrity(key));
    }
  }
  SUBCASE("error answers") {
    const uint16_t unknown[] = {0x7001, 0x7002, 0x7003};
    std::vector<uint8_t> out(kMaxStunBytes);
    out.resize(writeBindingError(out, kTransaction, 420, key, unknown));
    const auto m = StunMessage::parse(out);
    REQUIRE(m);
    CHECK(m->kind == StunClass::kError);
    CHECK(m->errorCode == 420);
    CHECK(m->hasIntegrity(key));
  }
}

TEST_CASE("stun: a message that does not fit is not written at all") {
  const HmacSha1 key = stunKey("p");
  for (size_t room = 0; room < 64; ++room) {
    std::vector<uint8_t> out(room);
    CHECK(writeBindingSuccess(out, kTransaction, v4(1, 2), key) == 0);
  }
  std::vector<uint8_t> out(64);
  CHECK(writeBindingSuccess(out, kTransaction, v4(1, 2), key) == 64);
}

TEST_CASE("stun: any flipped bit is seen, by the fingerprint or the integrity") {
  const HmacSha1 key = stunKey("password");
  BindingRequest r;
  r.username = "abcd:efgh";
  const auto whole = request(r, key);
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    auto bytes = whole;
    bytes[bit / 8] ^= static_cast<uint8_t>(1U << (bit % 8));
    const auto m = StunMessage::parse(bytes);
    CAPTURE(bit);
    CHECK(!(m && m->hasIntegrity(key) && m->hasFingerprint));
  }
}

TEST_CASE("stun: a cut or lengthened message is none") {
  const auto whole = hex(kSampleRequest);
  for (size_t size = 0; size < whole.size(); ++size) CHECK(!StunMessage::parse(Bytes(whole).first(size)));
  auto longer = whole;
  longer.insert(longer.end(), {0, 0, 0, 0});
  CHECK(!StunMessage::parse(longer));
}

TEST_CASE("stun: what stands behind MESSAGE-INTEGRITY is not believed") {
  // USE-CANDIDATE slipped in behind the integrity of the RFC 5769 response, the length made right.
  auto bytes = hex(kSampleIpv4Response);
  bytes.resize(bytes.size() - 8);
  const auto extra = hex("00 25 00 00");
  bytes.insert(bytes.end(), extra.begin(), extra.end());
  writeU16(bytes.data() + 2, static_cast<uint16_t>(bytes.size() - 20));
  const auto m = StunMessage::parse(bytes);
  REQUIRE(m);
  CHECK(!m->useCandidate);
  CHECK(m->hasIntegrity(stunKey(kPassword)));
}

TEST_CASE("stun: unknown attributes are listed when comprehension is required, and only then") {
  std::vector<uint8_t> bytes = hex("00 01 00 10 21 12 a4 42 00 00 00 00 00 00 00 00 00 00 00 00");
  const auto attributes = hex("7f 01 00 04 00 00 00 00  c0 57 00 04 00 00 00 00");
  bytes.insert(bytes.end(), attributes.begin(), attributes.end());
  const auto m = StunMessage::parse(bytes);
  REQUIRE(m);
  CHECK(m->unknownCount == 1);
  CHECK(m->unknown[0] == 0x7f01);
}

TEST_CASE("stun: a username without two halves names nobody") {
  for (const char* username : {"", "abc", ":abc", "abc:", ":"}) {
    BindingRequest r;
    r.username = username;
    const auto bytes = request(r, stunKey("p"));
    const auto m = StunMessage::parse(bytes);
    REQUIRE(m);
    CHECK(m->receiverFragment().empty());
  }
}
