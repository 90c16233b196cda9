// Which layers a subscriber gets: laws over every codec and mode, random targets, loss and reordering. A receiver that
// knows what frames truly depend on is the judge.
#include <doctest/doctest.h>

#include <algorithm>

#include "layers_world.h"

using namespace sluice;
using namespace sluice::test;
using forward::Layer;

namespace {

std::vector<VideoSetup> everything() {
  std::vector<VideoSetup> all;
  const auto add = [&](std::string name, Codec codec, std::vector<SvcMode> encodings, bool described,
                       bool flexible = true, bool shortIds = false) {
    all.push_back({codec, std::move(encodings), described, flexible, shortIds, 4, std::move(name), false});
  };
  const SvcMode l1t1{SvcKind::kL, 1, 1};
  const SvcMode l1t2{SvcKind::kL, 1, 2};
  const SvcMode l1t3{SvcKind::kL, 1, 3};
  const SvcMode l2t2{SvcKind::kL, 2, 2};
  const SvcMode l3t3{SvcKind::kL, 3, 3};
  const SvcMode l3t1{SvcKind::kL, 3, 1};
  const SvcMode l2t2Key{SvcKind::kKey, 2, 2};
  const SvcMode l3t3Key{SvcKind::kKey, 3, 3};
  const SvcMode s3t3{SvcKind::kS, 3, 3};
  add("vp8", Codec::kVp8, {l1t1}, false);
  add("vp8 L1T3", Codec::kVp8, {l1t3}, false);
  add("vp8 L1T2, 7 bit picture ids", Codec::kVp8, {l1t2}, false, true, true);
  add("vp8 simulcast L1T3", Codec::kVp8, {l1t3, l1t3, l1t3}, false);
  add("h264 simulcast", Codec::kH264, {l1t1, l1t1, l1t1}, false);
  add("h264 simulcast L1T2 described", Codec::kH264, {l1t2, l1t2}, true);
  add("h265 simulcast L1T3", Codec::kH265, {l1t3, l1t3}, false);
  add("vp9 L1T3", Codec::kVp9, {l1t3}, false);
  add("vp9 L2T2", Codec::kVp9, {l2t2}, false);
  add("vp9 L3T3", Codec::kVp9, {l3t3}, false);
  add("vp9 L3T3, 7 bit picture ids", Codec::kVp9, {l3t3}, false, true, true);
  add("vp9 L3T3 not flexible", Codec::kVp9, {l3t3}, false, false);
  add("vp9 L3T3_KEY", Codec::kVp9, {l3t3Key}, false);
  add("vp9 L3T3_KEY described", Codec::kVp9, {l3t3Key}, true);
  add("vp9 simulcast L1T3", Codec::kVp9, {l1t3, l1t3, l1t3}, false);
  add("av1 without descriptors", Codec::kAv1, {l1t1}, false);
  add("av1 L1T3", Codec::kAv1, {l1t3}, true);
  add("av1 L3T1", Codec::kAv1, {l3t1}, true);
  add("av1 L3T3", Codec::kAv1, {l3t3}, true);
  add("av1 L2T2_KEY", Codec::kAv1, {l2t2Key}, true);
  add("av1 L3T3_KEY", Codec::kAv1, {l3t3Key}, true);
  add("av1 S3T3", Codec::kAv1, {s3t3}, true);
  add("av1 L3T3_KEY, new structures", Codec::kAv1, {l3t3Key}, true);
  all.back().newStructures = true;
  add("av1 L3T3, new structures", Codec::kAv1, {l3t3}, true);
  all.back().newStructures = true;
  add("av1 simulcast L1T3", Codec::kAv1, {l1t3, l1t3}, true);
  return all;
}

// Every subscriber changes its mind now and then, and pauses.
void live(LayersWorld& world, TimeUs forUs) {
  world.run(forUs, [&world] {
    for (auto& s : world.subscribers) {
      if (world.random() % 20 == 0) {
        const Layer layer{static_cast<uint8_t>(world.random() % 4), static_cast<uint8_t>(world.random() % 4)};
        s->selector.setTarget({layer, world.random() % 2 == 0});
      }
      if (world.random() % 300 == 0) s->selector.setPaused(!s->selector.paused());
    }
  });
  for (auto& s : world.subscribers) s->selector.setPaused(false);
  world.run(2 * kSecondUs);
  world.drain();
}

void law(const NetworkSetup& network, uint64_t seed, TimeUs forUs) {
  for (const VideoSetup& v : everything()) {
    CAPTURE(v.name);
    CAPTURE(seed);
    LayersWorld world(v, network, seed);
    for (int i = 0; i < 3; ++i) world.subscribe();
    live(world, forUs);
    world.checkAll();
  }
}

}  // namespace

namespace {

// The best that a setup has within what was asked for.
Layer bestWithin(const VideoSetup& v, Layer asked) {
  const bool simulcast = v.encodings.size() > 1;
  const auto spatial = static_cast<uint8_t>(simulcast ? v.encodings.size() : v.encodings[0].spatialLayers);
  return {std::min(asked.spatial, static_cast<uint8_t>(spatial - 1)),
          std::min(asked.temporal, static_cast<uint8_t>(v.encodings[0].temporalLayers - 1))};
}

bool tellsLayers(const VideoSetup& v) {
  return v.name != "av1 without descriptors";
}

}  // namespace

TEST_CASE("layers: whoever asks for a layer has it within half a second, and nothing above it") {
  for (const VideoSetup& v : everything()) {
    if (!tellsLayers(v)) continue;
    CAPTURE(v.name);
    LayersWorld world(v, {}, 5);
    LayersSubscriber& s = world.subscribe();
    world.run(kSecondUs);
    Layer before = forward::kBestLayer;
    for (int step = 0; step < 60; ++step) {
      const Layer asked{static_cast<uint8_t>(world.random() % 4), static_cast<uint8_t>(world.random() % 4)};
      CAPTURE(asked.spatial);
      CAPTURE(asked.temporal);
      s.selector.setTarget({asked, step % 2 == 0});
      world.run(kSecondUs / 2);
      const Layer expected = bestWithin(v, asked);
      REQUIRE(s.selector.current(world.layers));
      CHECK(*s.selector.current(world.layers) == expected);
      CHECK_FALSE(s.selector.keyFrameWanted());
      // From then on nothing else comes.
      const SeqNo from = s.received.rbegin()->first;
      world.run(kSecondUs / 2);
      for (auto it = s.received.upper_bound(from); it != s.received.end(); ++it) {
        if (!it->second.made) continue;
        const MadeFrame& f = world.frames[world.packets[*it->second.made].frame];
        const uint8_t spatial = v.encodings.size() > 1 ? f.encoding : f.spatial;
        CHECK(Layer{spatial, f.temporal}.within(expected));
      }
      before = expected;
    }
    world.drain();
    world.checkAll();
  }
}

TEST_CASE("layers: on a perfect network no decoder meets a reference that was left out, whatever is asked for") {
  for (uint64_t seed = 1; seed <= 6; ++seed) law({}, seed, 20 * kSecondUs);
}

TEST_CASE("layers: nor where packets come out of order and lost ones come late; every number is filled") {
  for (uint64_t seed = 11; seed <= 16; ++seed) law({0.05, 0, 0.1, 60 * kMillisecondUs}, seed, 15 * kSecondUs);
}

TEST_CASE("layers: nor where packets are lost for good") {
  for (uint64_t seed = 21; seed <= 26; ++seed) law({0.08, 0.3, 0.05, 80 * kMillisecondUs}, seed, 15 * kSecondUs);
}
