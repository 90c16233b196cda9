#include "core/receive/key_frame.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <vector>

using namespace sluice;
using namespace sluice::receive;

namespace {

bool starts(Codec codec, std::initializer_list<int> bytes) {
  std::vector<uint8_t> payload;
  for (int b : bytes) payload.push_back(static_cast<uint8_t>(b));
  return startsKeyFrame(codec, payload);
}

}  // namespace

TEST_CASE("key frame: VP8 begins at the first packet of partition 0 with an inverse key frame flag of 0") {
  CHECK(starts(Codec::kVp8, {0x10, 0x10, 0x02, 0x00}));
  CHECK_FALSE(starts(Codec::kVp8, {0x10, 0x11, 0x02, 0x00}));  // delta frame
  CHECK_FALSE(starts(Codec::kVp8, {0x00, 0x10, 0x02, 0x00}));  // not the start of a partition
  CHECK_FALSE(starts(Codec::kVp8, {0x11, 0x10, 0x02, 0x00}));  // partition 1
  CHECK(starts(Codec::kVp8, {0x90, 0x80, 0x81, 0x23, 0x10}));  // X, I, 15-bit picture id
  CHECK_FALSE(starts(Codec::kVp8, {0x90, 0x80, 0x81, 0x23, 0x11}));
  CHECK(starts(Codec::kVp8, {0x90, 0xE0, 0x01, 0x05, 0x40, 0x00}));  // I, L, T
  CHECK_FALSE(starts(Codec::kVp8, {0x90, 0xE0, 0x01}));              // cut off
  CHECK_FALSE(starts(Codec::kVp8, {}));
}

TEST_CASE("key frame: VP9 begins at an unpredicted frame of the lowest spatial layer") {
  CHECK(starts(Codec::kVp9, {0x08, 1}));
  CHECK_FALSE(starts(Codec::kVp9, {0x48, 1}));              // predicted
  CHECK_FALSE(starts(Codec::kVp9, {0x00, 1}));              // not the beginning
  CHECK(starts(Codec::kVp9, {0xA8, 0x81, 0x02, 0x00, 0}));  // I and L, spatial layer 0
  CHECK_FALSE(starts(Codec::kVp9, {0xA8, 0x81, 0x02, 0x02, 0}));
  CHECK_FALSE(starts(Codec::kVp9, {0xA8, 0x81}));
}

TEST_CASE("key frame: H.264 begins at a parameter set, alone or aggregated, or at an IDR picture's first slice") {
  CHECK(starts(Codec::kH264, {0x67, 0x42}));
  CHECK(starts(Codec::kH264, {0x65, 0x88}));
  CHECK_FALSE(starts(Codec::kH264, {0x65, 0x08}));  // a later slice
  CHECK_FALSE(starts(Codec::kH264, {0x61, 0x88}));
  CHECK(starts(Codec::kH264, {0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE}));        // STAP-A
  CHECK_FALSE(starts(Codec::kH264, {0x78, 0, 2, 0x68, 0xCE, 0, 2, 0x61, 0x88}));  // PPS, P slice
  CHECK_FALSE(starts(Codec::kH264, {0x78, 0, 9, 0x67, 0x42}));                    // cut off
  CHECK(starts(Codec::kH264, {0x7C, 0x85, 0x88}));                                // FU-A start of IDR
  CHECK_FALSE(starts(Codec::kH264, {0x7C, 0x05, 0x88}));                          // its middle
  CHECK_FALSE(starts(Codec::kH264, {0x7C, 0x81, 0x88}));                          // FU-A start of another slice
}

TEST_CASE("key frame: H.265 begins at a parameter set or an IRAP picture's first slice") {
  CHECK(starts(Codec::kH265, {0x40, 0x01, 0x0C}));                                      // VPS
  CHECK(starts(Codec::kH265, {0x26, 0x01, 0x80}));                                      // IDR_W_RADL
  CHECK_FALSE(starts(Codec::kH265, {0x26, 0x01, 0x00}));                                // not its first slice
  CHECK_FALSE(starts(Codec::kH265, {0x02, 0x01, 0x80}));                                // TRAIL_R
  CHECK(starts(Codec::kH265, {0x60, 0x01, 0, 3, 0x42, 0x01, 0x00, 0, 2, 0x44, 0x01}));  // AP with SPS
  CHECK(starts(Codec::kH265, {0x62, 0x01, 0x93, 0x80}));                                // FU start of IDR
  CHECK_FALSE(starts(Codec::kH265, {0x62, 0x01, 0x13, 0x80}));
}

TEST_CASE("key frame: AV1 begins where the aggregation header says so") {
  CHECK(starts(Codec::kAv1, {0x18, 1}));
  CHECK_FALSE(starts(Codec::kAv1, {0x10, 1}));
  CHECK_FALSE(starts(Codec::kAv1, {0x98, 1}));
}

TEST_CASE("key frame: codecs without one have none") {
  CHECK_FALSE(starts(Codec::kOpus, {0x10, 0x10}));
  CHECK_FALSE(needsKeyFrame(Codec::kOpus));
  CHECK(needsKeyFrame(Codec::kH265));
}
