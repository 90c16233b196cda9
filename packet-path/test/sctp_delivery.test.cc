// Laws of delivery: what may be lost, delayed, reordered and duplicated does not change what arrives.
#include <doctest/doctest.h>

#include <set>

#include "sctp_pair.h"

using namespace sluice;
using namespace sluice::sctp;
using namespace sluice::sctp::test;

namespace {

/// Sends `count` messages of mixed sizes, as fast as the buffer takes them, and waits for the last to arrive.
bool sendAll(Pair& pair, End& from, const End& to, StreamId id, size_t count, size_t maxSize) {
  const size_t before = to.messages.size();
  size_t sent = 0;
  return pair.runUntil([&] {
    while (sent < count) {
      const size_t size = 1 + (sent * 7'919) % maxSize;
      if (pair.send(from, id, numbered(sent, size)) != SendResult::kOk) break;
      ++sent;
    }
    return to.messages.size() - before >= count;
  });
}

bool inOrderOnce(const std::vector<Received>& messages, size_t maxSize) {
  for (size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].bytes != numbered(i, 1 + (i * 7'919) % maxSize)) return false;
  }
  return true;
}

uint64_t total(const Counters& c) {
  return c.droppedMalformed + c.droppedTag + c.droppedOrphan + c.droppedNoChannel + c.droppedStreamState;
}

}  // namespace

TEST_CASE("sctp delivery: reliable and ordered, every message arrives once and in order, at 0 to 30 % loss") {
  for (const double loss : {0.0, 0.01, 0.05, 0.1, 0.2, 0.3}) {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      CAPTURE(loss);
      CAPTURE(seed);
      Pair pair({.loss = loss, .duplication = loss / 2, .jitterUs = seed % 2 == 0 ? 20 * kMillisecondUs : 0}, seed);
      pair.establish();
      const StreamId id = pair.open(pair.a, reliable());
      REQUIRE(sendAll(pair, pair.a, pair.b, id, 300, 5'000));
      pair.run(20 * kSecondUs);
      CHECK(pair.b.messages.size() == 300);
      CHECK(inOrderOnce(pair.b.messages, 5'000));
      CHECK(total(pair.b.association->counters()) == 0);
      CHECK(pair.idle());
      CHECK(pair.a.association->bufferedBytes(id) == 0);
    }
  }
}

TEST_CASE("sctp delivery: reliable and unordered, every message arrives once") {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.15, .duplication = 0.1, .jitterUs = 30 * kMillisecondUs}, seed);
    pair.establish();
    ChannelSpec spec = reliable();
    spec.ordered = false;
    const StreamId id = pair.open(pair.a, spec);
    REQUIRE(pair.runUntil([&] { return pair.a.opened.size() == 1; }));
    REQUIRE(sendAll(pair, pair.a, pair.b, id, 400, 3'000));
    pair.run(20 * kSecondUs);
    std::set<std::string> distinct;
    for (const Received& m : pair.b.messages) distinct.insert(m.bytes);
    CHECK(pair.b.messages.size() == 400);
    CHECK(distinct.size() == 400);
    CHECK(total(pair.b.association->counters()) == 0);
  }
}

TEST_CASE("sctp delivery: both directions and several channels share the association without harm") {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.05, .jitterUs = 10 * kMillisecondUs}, seed);
    pair.establish();
    std::vector<StreamId> ids;
    for (int i = 0; i < 5; ++i) {
      ids.push_back(pair.open(pair.a, reliable()));
      ids.push_back(pair.open(pair.b, reliable()));
    }
    REQUIRE(pair.runUntil([&] { return pair.a.opened.size() == 10 && pair.b.opened.size() == 10; }));
    for (size_t i = 0; i < 100; ++i) {
      for (const StreamId id : ids) {
        REQUIRE(pair.send(pair.a, id, numbered(i, 1 + i * 31)) == SendResult::kOk);
        REQUIRE(pair.send(pair.b, id, numbered(i, 1 + i * 31)) == SendResult::kOk);
      }
    }
    pair.run(120 * kSecondUs);
    for (const End* end : {&pair.a, &pair.b}) {
      std::map<StreamId, size_t> next;
      bool ordered = true;
      for (const Received& m : end->messages) {
        const size_t n = next[m.stream]++;
        ordered &= m.bytes == numbered(n, 1 + n * 31);
      }
      CHECK(ordered);
      CHECK(end->messages.size() == 1'000);
    }
  }
}

TEST_CASE("sctp delivery: the wrap of TSN and of SSN does not matter") {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    const uint32_t nearWrap = UINT32_MAX - 200;
    Pair pair(seedOf(1, 5, nearWrap), seedOf(2, 6, nearWrap + 7), {.loss = 0.1, .jitterUs = 10 * kMillisecondUs}, seed);
    pair.establish();
    const StreamId id = pair.open(pair.a, reliable());
    REQUIRE(sendAll(pair, pair.a, pair.b, id, 600, 2'000));
    CHECK(inOrderOnce(pair.b.messages, 2'000));
  }
  Pair pair({.loss = 0.001}, 5);
  pair.establish();
  const StreamId id = pair.open(pair.a, reliable());
  REQUIRE(sendAll(pair, pair.a, pair.b, id, 140'000, 20));
  CHECK(inOrderOnce(pair.b.messages, 20));
}

TEST_CASE("sctp partial reliability: a lossy channel never blocks, and repeats nothing") {
  for (const bool ordered : {false, true}) {
    for (uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(ordered);
      CAPTURE(seed);
      Pair pair({.loss = 0.1, .jitterUs = seed % 2 == 0 ? 5 * kMillisecondUs : 0}, seed);
      pair.establish();
      ChannelSpec spec = lossy();
      spec.ordered = ordered;
      const StreamId id = pair.open(pair.a, spec);
      REQUIRE(pair.runUntil([&] { return pair.a.opened.size() == 1; }));
      const uint64_t repeatedBefore = pair.a.association->counters().chunksRetransmitted;
      for (size_t i = 0; i < 500; ++i) {
        REQUIRE(pair.send(pair.a, id, numbered(i, 600 + (i % 7) * 300)) == SendResult::kOk);
        pair.run(10 * kMillisecondUs);
      }
      pair.run(30 * kSecondUs);
      CHECK(pair.b.messages.size() > 350);
      CHECK(pair.b.messages.size() < 500);
      CHECK(pair.a.association->counters().chunksRetransmitted == repeatedBefore);
      CHECK(pair.a.association->counters().messagesAbandoned > 10);
      CHECK(pair.idle());
      if (ordered) {
        for (size_t i = 1; i < pair.b.messages.size(); ++i) {
          REQUIRE(numberOf(pair.b.messages[i - 1].bytes) < numberOf(pair.b.messages[i].bytes));
        }
      }
      // And a reliable one beside it goes on.
      const StreamId other = pair.open(pair.a, reliable());
      CHECK(pair.send(pair.a, other, "still here") == SendResult::kOk);
      REQUIRE(pair.runUntil([&] { return pair.b.messages.back().bytes == "still here"; }));
    }
  }
}

TEST_CASE("sctp partial reliability: messages that outlive their time in the queue are not sent") {
  Pair pair({.delayUs = 50 * kMillisecondUs, .bitsPerUs = 0.5});
  pair.establish();
  ChannelSpec spec = reliable();
  spec.maxPacketLifeTimeMs = 300;
  const StreamId id = pair.open(pair.a, spec);
  pair.run(kSecondUs);
  for (size_t i = 0; i < 200; ++i) REQUIRE(pair.send(pair.a, id, numbered(i, 1'100)) == SendResult::kOk);
  pair.run(60 * kSecondUs);
  CHECK(pair.b.messages.size() > 5);
  CHECK(pair.b.messages.size() < 60);  // 500 kbit/s for 300 ms, and what was in flight
  CHECK(pair.a.association->counters().messagesAbandoned == 200 - pair.b.messages.size());
  CHECK(pair.a.association->bufferedBytes(id) == 0);
  CHECK(pair.send(pair.a, id, "fresh") == SendResult::kOk);
  pair.run(kSecondUs);
  CHECK(pair.b.messages.back().bytes == "fresh");
  CHECK(pair.idle());
}

TEST_CASE("sctp partial reliability: large messages that lose a part are forgotten whole, mixed with reliable ones") {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Pair pair({.loss = 0.05, .duplication = 0.02, .jitterUs = 5 * kMillisecondUs}, seed);
    pair.establish();
    ChannelSpec limited = lossy(1, "limited");
    limited.ordered = seed % 2 == 0;
    const StreamId mayLose = pair.open(pair.a, limited);
    const StreamId mustArrive = pair.open(pair.a, reliable());
    for (size_t i = 0; i < 60; ++i) {
      REQUIRE(pair.send(pair.a, mayLose, numbered(i, 20'000)) == SendResult::kOk);
      REQUIRE(pair.send(pair.a, mustArrive, numbered(i, 1'500)) == SendResult::kOk);
      pair.run(100 * kMillisecondUs);
    }
    pair.run(120 * kSecondUs);
    size_t arrived = 0;
    std::set<size_t> seen;
    for (const Received& m : pair.b.messages) {
      if (m.stream == mustArrive) {
        REQUIRE(m.bytes == numbered(arrived++, 1'500));
      } else {
        REQUIRE(m.bytes == numbered(numberOf(m.bytes), 20'000));
        REQUIRE(seen.insert(numberOf(m.bytes)).second);
      }
    }
    CHECK(arrived == 60);
    CHECK(seen.size() > 20);
    CHECK(seen.size() + pair.a.association->counters().messagesAbandoned >= 60);
    CHECK(pair.idle());
  }
}

TEST_CASE(
    "sctp congestion: 1 % loss and 50 ms round trip leave more than 1 Mbit/s, and 10 Mbit/s without loss are used") {
  struct Case {
    LinkSpec link;
    double atLeastMbps;
  };
  for (const Case& c : {Case{{.loss = 0.01, .delayUs = 25 * kMillisecondUs, .bitsPerUs = 50}, 1.0},
                        Case{{.delayUs = 25 * kMillisecondUs, .bitsPerUs = 10}, 8.5},
                        Case{{.delayUs = 5 * kMillisecondUs, .bitsPerUs = 50}, 40.0}}) {
    Pair pair(c.link, 3);
    pair.establish();
    const StreamId id = pair.open(pair.a, reliable());
    const TimeUs since = pair.now;
    REQUIRE(sendAll(pair, pair.a, pair.b, id, 3'000, 4'000));
    size_t bytes = 0;
    for (const Received& m : pair.b.messages) bytes += m.bytes.size();
    const double mbps = static_cast<double>(bytes) * 8 / static_cast<double>(pair.now - since);
    MESSAGE("throughput " << mbps << " Mbit/s, " << pair.a.association->counters().timeouts << " timeouts, "
                          << pair.a.association->counters().fastRetransmits << " fast retransmits");
    CHECK(mbps > c.atLeastMbps);
  }
}

TEST_CASE("sctp fairness: small messages of one channel are not held up by large ones of another") {
  Pair pair({.delayUs = 10 * kMillisecondUs, .bitsPerUs = 5});
  pair.establish();
  const StreamId bulk = pair.open(pair.a, reliable("bulk"));
  const StreamId chat = pair.open(pair.a, reliable("chat"));
  pair.run(kSecondUs);
  for (size_t i = 0; i < 30; ++i) REQUIRE(pair.send(pair.a, bulk, numbered(i, 60'000)) == SendResult::kOk);
  pair.run(200 * kMillisecondUs);
  const TimeUs since = pair.now;
  for (size_t i = 0; i < 50; ++i) REQUIRE(pair.send(pair.a, chat, numbered(i, 500)) == SendResult::kOk);
  REQUIRE(pair.runUntil([&] {
    return std::count_if(pair.b.messages.begin(), pair.b.messages.end(),
                         [&](const Received& m) { return m.stream == chat; }) == 50;
  }));
  CHECK(pair.now - since < 500 * kMillisecondUs);  // all of bulk takes three seconds
}

TEST_CASE("sctp retransmission: traffic goes on within four seconds of an outage of ten") {
  Pair pair;
  pair.establish();
  const StreamId id = pair.open(pair.a, reliable());
  pair.run(kSecondUs);
  pair.setLink({.loss = 1});
  for (size_t i = 0; i < 10; ++i) REQUIRE(pair.send(pair.a, id, numbered(i, 1'000)) == SendResult::kOk);
  pair.run(10 * kSecondUs);
  pair.setLink({});
  const TimeUs back = pair.now;
  REQUIRE(pair.runUntil([&] { return pair.b.messages.size() == 10; }));
  CHECK(pair.now - back < 4 * kSecondUs);
}
