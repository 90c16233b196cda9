#include <doctest/doctest.h>

#include <vector>

#include "core/wire/demux.h"

using namespace sluice;
using wire::DatagramClass;

namespace {

DatagramClass classOf(uint8_t first, uint8_t second, size_t size) {
  std::vector<uint8_t> d(size);
  if (size > 0) d[0] = first;
  if (size > 1) d[1] = second;
  if (size >= 8 && first < 4) writeU32(d.data() + 4, wire::kStunCookie);
  return wire::classify(d);
}

}  // namespace

TEST_CASE("demux: the first byte tells STUN, DTLS and RTP apart (RFC 7983 §7)") {
  for (int first = 0; first < 256; ++first) {
    const DatagramClass c = classOf(static_cast<uint8_t>(first), 96, 64);
    CAPTURE(first);
    if (first < 4) {
      CHECK(c == DatagramClass::kStun);
    } else if (first >= 20 && first < 64) {
      CHECK(c == DatagramClass::kDtls);
    } else if (first >= 128 && first < 192) {
      CHECK(c == DatagramClass::kRtp);
    } else {
      CHECK(c == DatagramClass::kOther);
    }
  }
}

TEST_CASE("demux: the second byte tells RTCP from RTP (RFC 5761 §4)") {
  for (int second = 0; second < 256; ++second) {
    CAPTURE(second);
    const bool rtcp = second >= 192 && second < 224;
    CHECK(classOf(0x80, static_cast<uint8_t>(second), 64) == (rtcp ? DatagramClass::kRtcp : DatagramClass::kRtp));
  }
}

TEST_CASE("demux: a datagram shorter than its kind's fixed header is other") {
  CHECK(wire::classify({}) == DatagramClass::kOther);
  CHECK(classOf(0, 1, 19) == DatagramClass::kOther);
  CHECK(classOf(0, 1, 20) == DatagramClass::kStun);
  CHECK(classOf(22, 254, 12) == DatagramClass::kOther);
  CHECK(classOf(22, 254, 13) == DatagramClass::kDtls);
  CHECK(classOf(128, 96, 11) == DatagramClass::kOther);
  CHECK(classOf(128, 96, 12) == DatagramClass::kRtp);
  CHECK(classOf(128, 200, 7) == DatagramClass::kOther);
  CHECK(classOf(128, 200, 8) == DatagramClass::kRtcp);
}

TEST_CASE("demux: what looks like STUN without the cookie is other") {
  std::vector<uint8_t> d(20);
  CHECK(wire::classify(d) == DatagramClass::kOther);
}
