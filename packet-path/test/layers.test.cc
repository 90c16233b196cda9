// The pieces of layer selection one by one: what a track offers, what it costs, whose clock is whose, and what is given
// up for what.
#include <doctest/doctest.h>

#include <array>
#include <random>

#include "core/forward/layer_rates.h"
#include "core/forward/timeline.h"
#include "core/forward/useful_layer.h"
#include "layers_world.h"

using namespace sluice;
using namespace sluice::forward;
using namespace sluice::test;

namespace {

constexpr uint32_t kHz = 90'000;

SenderClock clockAt(Ssrc ssrc, TimeUs atUs, uint32_t timestamp) {
  const uint64_t ntp =
      (static_cast<uint64_t>(atUs / kSecondUs) << 32) | ((static_cast<uint64_t>(atUs % kSecondUs) << 32) / kSecondUs);
  return {ssrc, ntp, timestamp, atUs};
}

Timeline::Sample sample(uint32_t timestamp, TimeUs atUs) {
  return {timestamp, atUs, kHz};
}

const SvcMode kL1T3{SvcKind::kL, 1, 3};
const SvcMode kL3T3{SvcKind::kL, 3, 3};
const SvcMode kL3T3Key{SvcKind::kKey, 3, 3};

}  // namespace

TEST_CASE("timeline: reports put the same instant of two encodings at the same time, whatever their packets' delays") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    std::array<uint32_t, 3> base{};
    for (uint32_t& b : base) b = static_cast<uint32_t>(random());
    const auto timestampAt = [&](size_t e, TimeUs atUs) {
      return base[e] + static_cast<uint32_t>(static_cast<uint64_t>(atUs) * kHz / kSecondUs);
    };
    const auto reportOf = [&](size_t e, TimeUs nowUs) {
      const TimeUs at = nowUs - static_cast<TimeUs>(random() % 2'000'000);
      return clockAt(static_cast<Ssrc>(e), at, timestampAt(e, at));
    };
    Timeline timeline(static_cast<uint32_t>(random()));
    TimeUs captured = 100 * kSecondUs;
    size_t current = 0;
    timeline.enter(sample(timestampAt(0, captured), captured), nullptr, nullptr, false);
    timeline.sent(sample(timestampAt(0, captured), captured));
    const uint32_t anchor = timestampAt(0, captured) + timeline.offset() -
                            static_cast<uint32_t>(static_cast<uint64_t>(captured) * kHz / kSecondUs);
    for (int step = 0; step < 40; ++step) {
      captured += 33'333 * static_cast<TimeUs>(1 + random() % 20);
      const size_t next = (current + 1 + random() % 2) % 3;
      const TimeUs arrives = captured + static_cast<TimeUs>(random() % 200'000);
      const SenderClock now = reportOf(next, captured);
      const SenderClock before = reportOf(current, captured);
      timeline.enter(sample(timestampAt(next, captured), arrives), &now, &before, false);
      timeline.sent(sample(timestampAt(next, captured), arrives));
      const uint32_t out = timestampAt(next, captured) + timeline.offset();
      const uint32_t exact = anchor + static_cast<uint32_t>(static_cast<uint64_t>(captured) * kHz / kSecondUs);
      // A tick here and there for rounding; they do not add up.
      CHECK(std::abs(static_cast<int32_t>(out - exact)) <= 3);
      current = next;
    }
  }
}

TEST_CASE("timeline: a frame of another encoding that shows what was just shown stands right behind it") {
  Timeline timeline(7);
  timeline.enter(sample(1'000, 0), nullptr, nullptr, false);
  timeline.sent(sample(1'000, 0));
  const SenderClock first = clockAt(1, kSecondUs, 1'000);
  const SenderClock second = clockAt(2, kSecondUs, 50'000);
  timeline.enter(sample(50'000, 4'000), &second, &first, false);
  CHECK(50'000 + timeline.offset() == 1'000 + 7 + 1);
  timeline.sent(sample(50'000, 4'000));
  // And the way back is exact again.
  timeline.enter(sample(4'000, 37'000), &first, &second, false);
  CHECK(4'000 + timeline.offset() == 4'000 + 7);
}

TEST_CASE("timeline: without reports, or with absurd ones, the time between packets counts") {
  const SenderClock first = clockAt(1, kSecondUs, 0);
  const SenderClock absurd = clockAt(2, 500 * kSecondUs, 0);
  for (const SenderClock* report : {static_cast<const SenderClock*>(nullptr), &absurd}) {
    Timeline timeline(0);
    timeline.enter(sample(9'000, 0), nullptr, nullptr, false);
    timeline.sent(sample(9'000, 0));
    timeline.enter(sample(4'000'000'000, 500'000), report, &first, false);
    CHECK(static_cast<uint32_t>(4'000'000'000 + timeline.offset()) == 9'000 + 45'000);
  }
}

TEST_CASE("rates: what a layer costs is what is forwarded for it, within a second of its beginning") {
  LayerRates rates;
  TimeUs now = 10 * kSecondUs;
  // Key-frame-only prediction: frames of lower layers are of no use to higher ones.
  const auto second = [&](bool alone, int pictures) {
    for (int i = 0; i < pictures; ++i) {
      for (uint8_t s = 0; s < 3; ++s) rates.note({s, static_cast<uint8_t>(i % 2)}, alone, 100U << s, now);
      now += kSecondUs / 30;
    }
  };
  second(true, 15);
  CHECK(rates.bitsPerSecond({0, 1}, now) == doctest::Approx(100 * 30 * 8).epsilon(0.1));
  second(true, 45);
  CHECK(rates.bitsPerSecond({0, 1}, now) == doctest::Approx(100 * 30 * 8).epsilon(0.05));
  CHECK(rates.bitsPerSecond({0, 0}, now) == doctest::Approx(100 * 15 * 8).epsilon(0.08));
  CHECK(rates.bitsPerSecond({2, 1}, now) == doctest::Approx(400 * 30 * 8).epsilon(0.05));
  second(false, 60);
  CHECK(rates.bitsPerSecond({2, 1}, now) == doctest::Approx(700 * 30 * 8).epsilon(0.05));
  CHECK(rates.bitsPerSecond({0, 1}, now) == doctest::Approx(100 * 30 * 8).epsilon(0.05));
  now += 3 * kSecondUs;
  CHECK(rates.bitsPerSecond({2, 1}, now) == 0);
}

TEST_CASE("offers: from the cheapest to the best, each with its price; what is not sent is not offered") {
  for (const SvcMode& mode : {kL3T3, kL3T3Key}) {
    LayersWorld world({Codec::kAv1, {mode}, true, true, false, 4, "av1", false}, {}, 9);
    world.run(2 * kSecondUs);
    std::array<Layers::Offer, 16> offers;
    size_t count = world.layers.offers(world.nowUs, offers);
    REQUIRE(count >= 3);
    for (size_t i = 1; i < count; ++i) {
      CHECK(offers[i].bitsPerSecond > offers[i - 1].bitsPerSecond);
      CHECK(offers[i].layer > offers[i - 1].layer);
    }
    CHECK(offers[count - 1].layer == Layer{2, 2});
    world.spatialLayers = 2;
    world.run(2 * kSecondUs);
    count = world.layers.offers(world.nowUs, offers);
    REQUIRE(count > 0);
    CHECK(offers[count - 1].layer == Layer{1, 2});
  }
}

TEST_CASE("layers: a spatial layer dies when others go on without it, and a still slide does not") {
  LayersWorld world({Codec::kVp8, {kL1T3, kL1T3, kL1T3}, false, true, false, 2, "vp8", false}, {}, 4);
  world.run(kSecondUs);
  CHECK(world.layers.pick(7) == 2);
  world.paused[2] = true;
  world.run(200 * kMillisecondUs);
  CHECK(world.layers.pick(7) == 2);
  world.run(200 * kMillisecondUs);
  CHECK(world.layers.pick(7) == 1);
  world.paused[1] = world.paused[0] = true;
  world.run(5 * kSecondUs);
  CHECK(world.layers.pick(7) == 1);
  world.paused[2] = false;
  world.run(50 * kMillisecondUs);
  CHECK(world.layers.pick(7) == 2);
  CHECK(world.layers.pick(1) == 1);
}

TEST_CASE("wish: a limit of frames a second is the highest temporal layer within it, and holds where rates waver") {
  LayersWorld world({Codec::kVp8, {kL1T3, kL1T3}, false, true, false, 2, "vp8", false}, {}, 4);
  const auto useful = [&](uint8_t spatial, uint8_t maxFps, Layer before = kBestLayer) {
    TrackWish wish;
    wish.spatial = spatial;
    wish.maxFps = maxFps;
    return usefulLayer(wish, world.layers, before, world.nowUs);
  };
  // Before anything is known nothing is left out.
  CHECK(useful(TrackWish::kHighest, 8) == kBestLayer);
  CHECK(useful(0, 0) == Layer{0, kBestLayer.temporal});
  world.run(2 * kSecondUs);
  CHECK(world.layers.framesPerSecond({1, 0}, world.nowUs) == doctest::Approx(7.5).epsilon(0.2));
  CHECK(world.layers.framesPerSecond({1, 2}, world.nowUs) == doctest::Approx(30).epsilon(0.1));
  for (const uint8_t spatial : {uint8_t{0}, uint8_t{1}}) {
    CHECK(useful(spatial, 5) == Layer{spatial, 0});
    CHECK(useful(spatial, 10) == Layer{spatial, 0});
    CHECK(useful(spatial, 15) == Layer{spatial, 1});
    CHECK(useful(spatial, 24) == Layer{spatial, 1});
    CHECK(useful(spatial, 30) == Layer{spatial, kBestLayer.temporal});
    CHECK(useful(spatial, 60) == Layer{spatial, kBestLayer.temporal});
  }
  CHECK(useful(1, 27, Layer{1, 1}) == Layer{1, 1});
  CHECK(useful(1, 27, kBestLayer) == Layer{1, kBestLayer.temporal});
}

TEST_CASE("selector: whoever loses an encoding goes on with the next one, and comes back") {
  for (const Codec codec : {Codec::kVp8, Codec::kH264}) {
    LayersWorld world({codec, {kL1T3, kL1T3, kL1T3}, false, true, false, 3, "simulcast", false}, {}, 6);
    LayersSubscriber& s = world.subscribe();
    world.run(kSecondUs);
    CHECK(s.selector.encoding() == 2);
    world.paused[2] = true;
    world.run(kSecondUs);
    CHECK(s.selector.encoding() == 1);
    world.paused[1] = true;
    world.run(kSecondUs);
    CHECK(s.selector.encoding() == 0);
    world.paused[1] = world.paused[2] = false;
    world.run(kSecondUs);
    CHECK(s.selector.encoding() == 2);
    world.drain();
    world.checkAll();
  }
}

TEST_CASE("selector: a scalable stream whose top layer is gone is watched in the next one") {
  for (const bool described : {false, true}) {
    for (const SvcMode& mode : {kL3T3, kL3T3Key}) {
      CAPTURE(mode.name());
      LayersWorld world({Codec::kVp9, {mode}, described, true, false, 3, "vp9", false}, {}, 6);
      LayersSubscriber& s = world.subscribe();
      world.run(kSecondUs);
      CHECK(s.selector.current(world.layers) == Layer{2, 2});
      world.spatialLayers = 2;
      world.run(kSecondUs);
      CHECK(s.selector.current(world.layers) == Layer{1, 2});
      const size_t before = s.received.size();
      world.run(kSecondUs);
      CHECK(s.received.size() > before + 20);
    }
  }
}

TEST_CASE("selector: down is at once where layers stand on each other") {
  for (const Codec codec : {Codec::kVp9, Codec::kAv1}) {
    LayersWorld world({codec, {kL3T3}, codec == Codec::kAv1, true, false, 3, "svc", false}, {}, 8);
    LayersSubscriber& s = world.subscribe();
    world.run(kSecondUs);
    const SeqNo last = s.received.rbegin()->first;
    s.selector.setTarget({{0, 0}, false});
    world.run(kSecondUs);
    for (auto it = s.received.upper_bound(last); it != s.received.end(); ++it) {
      const MadeFrame& f = world.frames[world.packets[*it->second.made].frame];
      CHECK(f.spatial == 0);
      CHECK(f.temporal == 0);
    }
    CHECK(std::count(world.keyFramesMade.begin(), world.keyFramesMade.end(), 0) == 1);
  }
}

TEST_CASE("selector: where a way down needs a key frame, haste leaves out frames at once") {
  for (const bool inHaste : {false, true}) {
    LayersWorld world({Codec::kAv1, {kL3T3Key}, true, true, false, 3, "av1", false}, {}, 8);
    world.keyFrameDelayUs = 400 * kMillisecondUs;
    LayersSubscriber& s = world.subscribe();
    world.run(2 * kSecondUs);
    const SeqNo last = s.received.rbegin()->first;
    s.selector.setTarget({{0, 2}, inHaste});
    world.run(350 * kMillisecondUs);
    CHECK(s.selector.keyFrameWanted() == 0);
    bool higher = false;
    for (auto it = s.received.upper_bound(last); it != s.received.end(); ++it) {
      const MadeFrame& f = world.frames[world.packets[*it->second.made].frame];
      CHECK(f.spatial == 2);
      higher = higher || f.temporal > 0;
    }
    CHECK(higher == !inHaste);
    world.run(kSecondUs);
    CHECK(s.selector.current(world.layers) == Layer{0, 2});
    CHECK_FALSE(s.selector.keyFrameWanted());
  }
}

TEST_CASE("selector: a layer that was left out leaves no hole; a packet of it that comes late fills the one it had") {
  LayersWorld world({Codec::kAv1, {kL3T3}, true, true, false, 1, "av1", false}, {0.1, 0, 0, 90 * kMillisecondUs}, 12);
  LayersSubscriber& s = world.subscribe();
  s.selector.setTarget({{0, 2}, false});
  world.run(10 * kSecondUs);
  world.drain();
  world.check(s);
  size_t empties = 0;
  for (const auto& [seq, packet] : s.received) {
    if (!packet.made) ++empties;
  }
  // Two of three frames are above the layer, each one packet: a lost one of them is not known from one of the layer's.
  CHECK(empties > 20);
  CHECK(s.received.rbegin()->first - s.received.begin()->first + 1 == static_cast<SeqNo>(s.received.size()));
}

TEST_CASE("selector: in a settled call nobody asks for key frames") {
  for (const bool simulcast : {false, true}) {
    const std::vector<SvcMode> encodings =
        simulcast ? std::vector<SvcMode>{kL1T3, kL1T3, kL1T3} : std::vector<SvcMode>{kL3T3Key};
    LayersWorld world({simulcast ? Codec::kVp8 : Codec::kVp9, encodings, false, true, false, 3, "", false},
                      {0.03, 0, 0.02, 60 * kMillisecondUs}, 2);
    for (uint8_t i = 0; i < 3; ++i) world.subscribe().selector.setTarget({{i, 2}, false});
    world.run(2 * kSecondUs);
    const std::vector<int> before = world.keyFramesMade;
    world.run(20 * kSecondUs);
    CHECK(world.keyFramesMade == before);
  }
}

TEST_CASE("selector: active decode targets are told whenever the set changes, and no frame outside of it comes") {
  LayersWorld world({Codec::kAv1, {kL3T3}, true, true, false, 2, "av1", false}, {}, 14);
  LayersSubscriber& s = world.subscribe();
  world.run(kSecondUs);
  const SeqNo last = s.received.rbegin()->first;
  s.selector.setTarget({{1, 1}, false});
  world.run(kSecondUs / 2);
  size_t grown = 0;
  size_t plain = 0;
  for (auto it = s.received.upper_bound(last); it != s.received.end(); ++it) {
    (it->second.descriptor.size() > wire::DescriptorFront::kBytes ? grown : plain) += 1;
  }
  // Told in a few packets, then no more.
  CHECK(grown >= 1);
  CHECK(grown < 12);
  CHECK(plain > grown);
  world.check(s);
}

TEST_CASE("selector: one subscriber's memory is small") {
  CHECK(sizeof(LayerSelector) <= 2'048);
}
