#include <doctest/doctest.h>

#include "io/gathering.h"

using sluice::TimeUs;
using sluice::io::Gathering;

TEST_CASE("gathering: datagrams that come far apart are never let wait") {
  Gathering gathering;
  for (TimeUs nowUs = 0; nowUs < 100'000; nowUs += Gathering::kSoonUs + 1) {
    gathering.woke(nowUs);
    CHECK(gathering.restUs(nowUs + 20) == 0);
  }
}

TEST_CASE("gathering: a frame's few packets one by one are served at once, a succession rests between wake-ups") {
  Gathering gathering;
  TimeUs nowUs = 1'000;
  for (int i = 0; i < Gathering::kSuccession; ++i, nowUs += 200) {
    gathering.woke(nowUs);
    CHECK(gathering.restUs(nowUs + 20) == 0);
  }
  gathering.woke(nowUs);
  CHECK(gathering.restUs(nowUs + 20) == Gathering::kRestUs - 20);
  // It goes on as long as something has come after each rest.
  nowUs += Gathering::kRestUs + 60;
  gathering.woke(nowUs);
  CHECK(gathering.restUs(nowUs + 100) == Gathering::kRestUs - 100);
}

TEST_CASE("gathering: whoever has worked for as long as a rest looks at once") {
  Gathering gathering;
  TimeUs nowUs = 0;
  for (int i = 0; i < 10; ++i) gathering.woke(nowUs += 300);
  CHECK(gathering.restUs(nowUs + Gathering::kRestUs) == 0);
  CHECK(gathering.restUs(nowUs + Gathering::kRestUs - Gathering::kLeastRestUs + 1) == 0);
}

TEST_CASE("gathering: a pause ends a succession") {
  Gathering gathering;
  TimeUs nowUs = 0;
  for (int i = 0; i < 10; ++i) gathering.woke(nowUs += 300);
  nowUs += Gathering::kSoonUs + 1;
  gathering.woke(nowUs);
  CHECK(gathering.restUs(nowUs) == 0);
}
