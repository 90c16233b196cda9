// The payload descriptors of VP8 and VP9.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "core/wire/vp8_descriptor.h"
#include "core/wire/vp9_descriptor.h"

using namespace sluice;
using namespace sluice::wire;

TEST_CASE("vp8 descriptor: what was written is read again") {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    Vp8Descriptor d;
    d.nonReference = random() % 2 == 0;
    d.startsPartition = random() % 2 == 0;
    d.partition = static_cast<uint8_t>(random() % 8);
    if (random() % 2 == 0) {
      d.longPictureId = random() % 2 == 0;
      d.pictureId = static_cast<uint16_t>(random() % (d.longPictureId ? 1U << 15 : 1U << 7));
    }
    if (random() % 2 == 0) d.tl0PicIdx = static_cast<uint8_t>(random());
    if (random() % 2 == 0) {
      d.temporalLayer = static_cast<uint8_t>(random() % 4);
      d.layerSync = random() % 2 == 0;
    }
    if (random() % 2 == 0) d.keyIndex = static_cast<uint8_t>(random() % 32);
    std::array<uint8_t, kMaxVp8DescriptorBytes> bytes{};
    const size_t n = writeVp8Descriptor(d, bytes);
    for (size_t cut = 0; cut < n; ++cut) CHECK_FALSE(parseVp8Descriptor(Bytes(bytes).first(cut)));
    const auto read = parseVp8Descriptor(Bytes(bytes).first(n));
    REQUIRE(read);
    CHECK(read->size == n);
    CHECK(read->nonReference == d.nonReference);
    CHECK(read->startsPartition == d.startsPartition);
    CHECK(read->partition == d.partition);
    CHECK(read->pictureId == d.pictureId);
    CHECK(read->longPictureId == d.longPictureId);
    CHECK(read->tl0PicIdx == d.tl0PicIdx);
    CHECK(read->temporalLayer == d.temporalLayer);
    CHECK(read->layerSync == d.layerSync);
    CHECK(read->keyIndex == d.keyIndex);
  }
}

TEST_CASE("vp8 descriptor: RFC 7741's figures, octet by octet") {
  // 4.6.1: key frame in one packet with a picture id of 17 in 7 bits.
  const std::vector<uint8_t> key = {0x90, 0x80, 0x11, 0x00};
  const auto d = parseVp8Descriptor(key);
  REQUIRE(d);
  CHECK(d->startsFrame());
  CHECK(d->pictureId == 17);
  CHECK_FALSE(d->longPictureId);
  CHECK(isVp8KeyFrame(Bytes(key).subspan(d->size)));
  // 4.6.4: a picture id of 4711.
  const std::vector<uint8_t> longId = {0xB0, 0x80, 0x92, 0x67};
  const auto l = parseVp8Descriptor(longId);
  REQUIRE(l);
  CHECK(l->pictureId == 4711);
  CHECK(l->longPictureId);
  CHECK(l->nonReference);
}

namespace {

// A VP9 descriptor octet by octet, from RFC 9628's figures alone.
std::vector<uint8_t> vp9(std::mt19937& random, Vp9Descriptor& d) {
  std::vector<uint8_t> out = {0};
  const bool hasId = random() % 4 != 0;
  d.interPicture = random() % 2 == 0;
  d.hasLayers = random() % 2 == 0;
  d.flexible = random() % 2 == 0;
  d.startsFrame = random() % 2 == 0;
  d.endsFrame = random() % 2 == 0;
  d.notReferredUpward = random() % 2 == 0;
  if (hasId) {
    d.longPictureId = random() % 2 == 0;
    d.pictureId = static_cast<uint16_t>(random() % (d.longPictureId ? 1U << 15 : 1U << 7));
    if (d.longPictureId) out.push_back(static_cast<uint8_t>(0x80 | (*d.pictureId >> 8)));
    out.push_back(static_cast<uint8_t>(*d.pictureId));
  }
  if (d.hasLayers) {
    d.temporalLayer = static_cast<uint8_t>(random() % 8);
    d.spatialLayer = static_cast<uint8_t>(random() % 8);
    d.switchingUp = random() % 2 == 0;
    d.interLayer = random() % 2 == 0;
    out.push_back(static_cast<uint8_t>((d.temporalLayer << 5) | ((d.switchingUp ? 1 : 0) << 4) | (d.spatialLayer << 1) |
                                       (d.interLayer ? 1 : 0)));
    if (!d.flexible) {
      d.tl0PicIdx = static_cast<uint8_t>(random());
      out.push_back(*d.tl0PicIdx);
    }
  }
  d.prefixSize = static_cast<uint8_t>(out.size());
  if (d.interPicture && d.flexible) {
    d.references = static_cast<uint8_t>(1 + random() % 3);
    for (uint8_t i = 0; i < d.references; ++i) {
      d.referenceDiffs[i] = static_cast<uint8_t>(1 + random() % 127);
      out.push_back(static_cast<uint8_t>((d.referenceDiffs[i] << 1) | (i + 1 < d.references ? 1 : 0)));
    }
  }
  const bool structure = random() % 4 == 0;
  if (structure) {
    Vp9ScalabilityStructure s;
    s.spatialLayers = static_cast<uint8_t>(1 + random() % 8);
    s.hasResolutions = random() % 2 == 0;
    s.pictures = static_cast<uint8_t>(random() % 9);
    out.push_back(static_cast<uint8_t>(((s.spatialLayers - 1) << 5) | ((s.hasResolutions ? 1 : 0) << 4) |
                                       ((s.pictures > 0 ? 1 : 0) << 3)));
    for (size_t i = 0; s.hasResolutions && i < s.spatialLayers; ++i) {
      s.widths[i] = static_cast<uint16_t>(random());
      s.heights[i] = static_cast<uint16_t>(random());
      for (const uint16_t v : {s.widths[i], s.heights[i]}) {
        out.push_back(static_cast<uint8_t>(v >> 8));
        out.push_back(static_cast<uint8_t>(v));
      }
    }
    if (s.pictures > 0) out.push_back(s.pictures);
    for (size_t i = 0; i < s.pictures; ++i) {
      const auto tid = static_cast<uint8_t>(random() % 3);
      const auto references = static_cast<uint8_t>(random() % 4);
      s.temporalLayers = std::max(s.temporalLayers, static_cast<uint8_t>(tid + 1));
      out.push_back(static_cast<uint8_t>((tid << 5) | (references << 2)));
      for (uint8_t r = 0; r < references; ++r) out.push_back(static_cast<uint8_t>(random()));
    }
    d.structure = s;
  }
  out[0] = static_cast<uint8_t>((hasId ? 0x80 : 0) | (d.interPicture ? 0x40 : 0) | (d.hasLayers ? 0x20 : 0) |
                                (d.flexible ? 0x10 : 0) | (d.startsFrame ? 0x08 : 0) | (d.endsFrame ? 0x04 : 0) |
                                (structure ? 0x02 : 0) | (d.notReferredUpward ? 0x01 : 0));
  d.size = static_cast<uint16_t>(out.size());
  return out;
}

}  // namespace

TEST_CASE("vp9 descriptor: every form of it is read, and the front is written again as it was") {
  std::mt19937 random(2);
  for (int round = 0; round < 20'000; ++round) {
    Vp9Descriptor d;
    const std::vector<uint8_t> bytes = vp9(random, d);
    for (size_t cut = 0; cut < bytes.size(); ++cut) CHECK_FALSE(parseVp9Descriptor(Bytes(bytes).first(cut)));
    const auto read = parseVp9Descriptor(bytes);
    REQUIRE(read);
    CHECK(read->size == d.size);
    CHECK(read->interPicture == d.interPicture);
    CHECK(read->flexible == d.flexible);
    CHECK(read->startsFrame == d.startsFrame);
    CHECK(read->endsFrame == d.endsFrame);
    CHECK(read->notReferredUpward == d.notReferredUpward);
    CHECK(read->pictureId == d.pictureId);
    CHECK(read->hasLayers == d.hasLayers);
    CHECK(read->temporalLayer == d.temporalLayer);
    CHECK(read->spatialLayer == d.spatialLayer);
    CHECK(read->switchingUp == d.switchingUp);
    CHECK(read->interLayer == d.interLayer);
    CHECK(read->tl0PicIdx == d.tl0PicIdx);
    CHECK(read->references == d.references);
    CHECK(read->referenceDiffs == d.referenceDiffs);
    REQUIRE(read->structure.has_value() == d.structure.has_value());
    if (d.structure) {
      CHECK(read->structure->spatialLayers == d.structure->spatialLayers);
      CHECK(read->structure->widths == d.structure->widths);
      CHECK(read->structure->heights == d.structure->heights);
      CHECK(read->structure->pictures == d.structure->pictures);
      CHECK(read->structure->temporalLayers == d.structure->temporalLayers);
    }
    std::array<uint8_t, kMaxVp9PrefixBytes> prefix{};
    const size_t n = writeVp9Prefix(*read, bytes[0], prefix);
    REQUIRE(n == read->prefixSize);
    CHECK(std::equal(prefix.begin(), prefix.begin() + static_cast<ptrdiff_t>(n), bytes.begin()));
  }
}
