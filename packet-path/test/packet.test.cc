#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "core/packet/packet.h"

using namespace sluice;

TEST_CASE("packet pool: a packet comes back when its last reference goes, and not before") {
  PacketPool pool(64);
  PacketRef a = pool.take();
  REQUIRE(a);
  PacketRef b = a;
  a = {};
  CHECK(pool.inUse() == 1);
  b = {};
  CHECK(pool.inUse() == 0);
}

TEST_CASE("packet pool: gives no more than its bound, and goes on after packets came back") {
  PacketPool pool(64);
  std::vector<PacketRef> all;
  while (PacketRef p = pool.take()) all.push_back(std::move(p));
  CHECK(all.size() == 64);
  all.clear();
  CHECK(pool.take());
}

TEST_CASE("packet pool: other threads may release while the owner takes") {
  PacketPool pool(256);
  for (int round = 0; round < 200; ++round) {
    std::vector<PacketRef> batch;
    for (int i = 0; i < 32; ++i) batch.push_back(pool.take());
    std::thread releaser([mine = std::move(batch)]() mutable { mine.clear(); });
    PacketRef p = pool.take();
    releaser.join();
  }
  CHECK(pool.inUse() == 0);
}

TEST_CASE("sequence extension: nearest to the reference, through the wrap both ways") {
  CHECK(extendSeq(0, 65535) == 65536);
  CHECK(extendSeq(65535, 65536) == 65535);
  CHECK(extendSeq(10, 65536 * 5 + 9) == 65536 * 5 + 10);
}
