// Numbers with some left out.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "core/forward/number_map.h"

using sluice::forward::NumberMap;

TEST_CASE("number map: what is left out closes up, what is skipped keeps its place") {
  NumberMap<128> map(100);
  map.append(100, false);
  map.append(101, true);
  map.append(102, true);
  map.append(103, false);
  map.append(106, false);       // 104 and 105 are missing
  map.append(109, true, true);  // so are 107 and 108, which belong to what is left out
  map.append(110, false);
  CHECK(map.out(100) == 100);
  CHECK_FALSE(map.out(101));
  CHECK(map.out(103) == 101);
  CHECK(map.out(104) == 102);
  CHECK(map.out(105) == 103);
  CHECK(map.out(106) == 104);
  CHECK(map.fate(108) == NumberMap<128>::Fate::kDropped);
  CHECK(map.out(110) == 105);
  CHECK(map.nextOut() == 106);
  CHECK(map.in(103) == 105);
  CHECK(map.in(105) == 110);
  CHECK_FALSE(map.in(106));
  CHECK_FALSE(map.in(99));
}

TEST_CASE("number map: it says what a plain list says, both ways, for as long as its window reaches") {
  std::mt19937_64 random(31);
  for (int round = 0; round < 60; ++round) {
    const auto first = static_cast<int64_t>(random() % 100'000);
    NumberMap<256> map(first);
    std::map<int64_t, int64_t> outs;  // by number; only what keeps its place
    std::map<int64_t, int64_t> ins;
    std::set<int64_t> dropped;
    int64_t number = first;
    int64_t out = first;
    for (int step = 0; step < 3'000; ++step) {
      const int64_t skip = random() % 10 != 0 ? 0 : static_cast<int64_t>(random() % (random() % 50 == 0 ? 600 : 9));
      const bool dropGap = random() % 3 == 0;
      const bool drop = random() % 100 < (round % 2 == 0 ? 30U : 85U);
      const int64_t next = number + skip;
      map.append(next, drop, dropGap);
      const auto place = [&](int64_t n, bool isDropped) {
        if (isDropped) {
          dropped.insert(n);
        } else {
          ins[out] = n;
          outs[n] = out++;
        }
      };
      for (; number < next; ++number) place(number, dropGap);
      place(number++, drop);
      CHECK(map.end() == number);
      CHECK(map.nextOut() == out);
      for (int look = 0; look < 4; ++look) {
        const int64_t n = number - static_cast<int64_t>(random() % 400) - 1;
        const auto said = map.out(n);
        if (said) {
          REQUIRE(outs.contains(n));
          CHECK(*said == outs[n]);
          CHECK(map.in(*said) == n);
        } else if (map.fate(n) == NumberMap<256>::Fate::kDropped) {
          CHECK(dropped.contains(n));
        } else if (n >= first && skip < 200) {
          CHECK(n < number - (256 - 64) + 600);
        }
        const int64_t o = out - static_cast<int64_t>(random() % 100) - 1;
        const auto from = map.in(o);
        if (from) {
          REQUIRE(ins.contains(o));
          CHECK(*from == ins[o]);
        }
      }
    }
  }
}

TEST_CASE("number map: the last window of numbers is never forgotten") {
  NumberMap<256> map(7);
  for (int64_t n = 7; n < 5'000; ++n) {
    map.append(n, n % 3 == 0);
    for (int64_t back = 0; back < 192 && n - back >= 7; ++back) {
      CHECK(map.fate(n - back) != NumberMap<256>::Fate::kForgotten);
    }
  }
  CHECK(sizeof(NumberMap<2'048>) < 450);
}
