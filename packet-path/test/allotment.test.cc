// Who gets which layer, and when that changes.
#include "core/allotment.h"

#include <doctest/doctest.h>

#include <array>

using namespace sluice;
using forward::Layer;
using forward::Layers;

namespace {

/// Simulcast of 100, 400 and 1,500 kbit/s, one temporal layer.
constexpr std::array<Layers::Offer, 3> kCamera{{{{0, 0}, 96'000}, {{1, 0}, 384'000}, {{2, 0}, 1'440'000}}};

struct Table {
  std::vector<Claim> claims;
  Allotment allotment;
  std::vector<Allotted> got;
  TimeUs now = kSecondUs;

  explicit Table(size_t videos, bool mayPause = true) {
    for (size_t i = 0; i < videos; ++i)
      claims.push_back({static_cast<Ssrc>(10 + i), kCamera, forward::kBestLayer, 1, mayPause});
    got.resize(videos);
  }
  void decide(congestion::Bps budget, TimeUs after = 500 * kMillisecondUs, bool guessed = false,
              bool distressed = false) {
    now += after;
    allotment.decide(claims, {.video = budget, .guessed = guessed, .distressed = distressed}, now, got);
  }
  [[nodiscard]] int spatial(size_t i) const {
    return got[i].paused ? -1 : std::min<int>(got[i].target.layer.spatial, 2);
  }
};

}  // namespace

TEST_CASE("allotment: what fits, and no more; what was wanted is known") {
  Table table(1);
  table.decide(5'000'000);
  CHECK(table.spatial(0) == 2);
  CHECK_FALSE(table.allotment.isShort());
  CHECK(table.allotment.wanted() == Allotment::onTheWire(1'440'000));
  table.decide(1'000'000);
  CHECK(table.spatial(0) == 1);
  CHECK(table.got[0].target.inHaste);
  CHECK(table.allotment.isShort());
}

TEST_CASE("allotment: of a track of which nothing is known, the least is asked for") {
  Table table(1);
  table.claims[0].offers = {};
  table.decide(5'000'000);
  CHECK(table.spatial(0) == 0);
  CHECK(table.got[0].target.layer.temporal == forward::kMaxLayers - 1);
  table.claims[0].offers = kCamera;
  table.decide(5'000'000);
  CHECK(table.spatial(0) == 2);
}

TEST_CASE("allotment: nothing is paused for a dip, or for a guess; for lasting want the least valued goes first") {
  Table table(2);
  table.claims[1].weight = 3;
  table.decide(150'000, 0, true);
  table.decide(150'000, 5 * kSecondUs, true);
  CHECK(table.spatial(0) == 0);
  table.decide(150'000);
  table.decide(150'000);
  CHECK(table.spatial(0) == 0);
  table.decide(150'000, Allotment::kPauseAfterUs);
  CHECK(table.spatial(0) == -1);
  CHECK(table.spatial(1) == 0);
  // It comes back when there is room for it, with some to spare.
  table.decide(205'000, kSecondUs);
  CHECK(table.spatial(0) == -1);
  table.decide(230'000);
  CHECK(table.spatial(0) == 0);
}

TEST_CASE("allotment: what was paused in vain comes back, and is left alone longer and longer") {
  Table table(1);
  table.decide(1'000'000);
  TimeUs patience = Allotment::kFirstPatienceUs;
  for (int i = 0; i < 2; ++i, patience *= 2) {
    table.decide(10'000, 500 * kMillisecondUs, false, true);
    table.decide(10'000, Allotment::kPauseAfterUs, false, true);
    REQUIRE(table.spatial(0) == -1);
    // Others fill the path: it is no better without us.
    table.decide(10'000, Allotment::kPauseHelpsWithinUs, false, true);
    CHECK(table.spatial(0) == 0);
    table.decide(10'000, patience - kMillisecondUs, false, true);
    CHECK(table.spatial(0) == 0);
    table.now += kMillisecondUs;
  }
}

TEST_CASE("allotment: a pause that helps lasts, and ends by a try, later and later") {
  Table table(1);
  table.decide(1'000'000);
  TimeUs retry = Allotment::kFirstRetryUs;
  for (int i = 0; i < 3; ++i, retry *= 2) {
    table.decide(10'000, 500 * kMillisecondUs, false, true);
    table.decide(10'000, Allotment::kPauseAfterUs, false, true);
    REQUIRE(table.spatial(0) == -1);
    table.decide(10'000, retry - kMillisecondUs);
    CHECK(table.spatial(0) == -1);
    table.decide(10'000, kMillisecondUs);
    CHECK(table.spatial(0) == 0);
    table.now += Allotment::kPauseAfterUs;
  }
}

TEST_CASE("allotment: who may not be paused keeps its least whatever the budget is") {
  Table table(1, false);
  table.decide(1'000'000);
  table.decide(10'000);
  table.decide(10'000, 10 * kSecondUs);
  CHECK(table.spatial(0) == 0);
}

TEST_CASE("allotment: a layer that was entered in vain is tried again later and later") {
  Table table(1);
  constexpr congestion::Bps kEnough = 1'645'000;  // for the best with some to spare, without plenty
  table.decide(450'000);
  REQUIRE(table.spatial(0) == 1);
  TimeUs hold = Allotment::kFirstHoldUs;
  for (int i = 0; i < 3; ++i, hold *= 2) {
    table.decide(kEnough);
    REQUIRE(table.spatial(0) == 2);
    table.decide(450'000, kSecondUs);
    REQUIRE(table.spatial(0) == 1);
    table.decide(kEnough, hold - kMillisecondUs);
    CHECK(table.spatial(0) == 1);
    table.now += kMillisecondUs;
  }
  // One that held out long was not in vain.
  table.decide(kEnough, Allotment::kLongestHoldUs);
  REQUIRE(table.spatial(0) == 2);
  table.decide(450'000, Allotment::kInVainUs);
  table.decide(kEnough, Allotment::kHoldUs);
  CHECK(table.spatial(0) == 2);
}

TEST_CASE("allotment: a stream that ended leaves nothing behind") {
  Table table(3);
  table.decide(2'000'000);
  table.claims.resize(1);
  table.got.resize(1);
  table.decide(2'000'000);
  CHECK(table.spatial(0) == 2);
  CHECK(table.allotment.spent() == Allotment::onTheWire(1'440'000));
}

TEST_CASE("allotment: of the smallest picture every frame rate is a step, of larger ones the whole") {
  std::array<Layers::Offer, 6> offers{
      {{{0, 0}, 50}, {{0, 1}, 70}, {{0, 2}, 100}, {{1, 0}, 200}, {{1, 1}, 280}, {{1, 2}, 400}}};
  const auto layers = [&](Layer best, Smallest smallest = Smallest::kByFrameRate) {
    auto copy = offers;
    std::vector<Layer> out;
    const size_t count = keepSteps(copy, best, smallest);
    for (size_t i = 0; i < count; ++i) out.push_back(copy[i].layer);
    return out;
  };
  CHECK(layers(forward::kBestLayer) == std::vector<Layer>{{0, 0}, {0, 1}, {0, 2}, {1, 2}});
  CHECK(layers({1, 1}) == std::vector<Layer>{{0, 0}, {0, 1}, {1, 1}});
  CHECK(layers({0, 7}) == std::vector<Layer>{{0, 0}, {0, 1}, {0, 2}});
  CHECK(layers(forward::kBestLayer, Smallest::kWhole) == std::vector<Layer>{{0, 2}, {1, 2}});
  CHECK(keepSteps({}, forward::kBestLayer, Smallest::kByFrameRate) == 0);
}
