#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "io/bounded_queue.h"
#include "io/local_ends.h"
#include "io/mailbox.h"
#include "io/outbox.h"

using namespace sluice;
using namespace sluice::io;

TEST_CASE("queue: gives values in order, and refuses exactly when it is full") {
  BoundedQueue<int> queue(4);
  for (int round = 0; round < 3; ++round) {
    CHECK(queue.empty());
    for (int i = 0; i < 4; ++i) {
      CHECK(queue.hasRoom(static_cast<size_t>(4 - i)));
      CHECK(queue.push(int{i}));
    }
    CHECK_FALSE(queue.hasRoom(1));
    CHECK_FALSE(queue.push(9));
    int value = -1;
    CHECK(queue.pop(value));
    CHECK(value == 0);
    CHECK(queue.hasRoom(1));
    CHECK_FALSE(queue.hasRoom(2));
    CHECK(queue.push(4));
    std::vector<int> rest;
    CHECK(queue.popInto(rest, 99) == 4);
    CHECK(rest == std::vector{1, 2, 3, 4});
  }
}

TEST_CASE("queue: what is refused stays with its producer, what is taken leaves nothing behind") {
  BoundedQueue<std::shared_ptr<int>> queue(2);
  auto kept = std::make_shared<int>(7);
  auto copy = kept;
  CHECK(queue.push(std::move(copy)));
  copy = kept;
  CHECK(queue.push(std::move(copy)));
  copy = kept;
  CHECK_FALSE(queue.push(std::move(copy)));
  CHECK(copy == kept);
  copy = nullptr;
  std::shared_ptr<int> out;
  while (queue.pop(out)) out = nullptr;
  CHECK(kept.use_count() == 1);
}

TEST_CASE("queue: many producers lose nothing, and each one's order is kept") {
  constexpr int kProducers = 3;
  constexpr int kEach = 20'000;
  BoundedQueue<std::pair<int, int>> queue(256);
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&queue, p] {
      for (int i = 0; i < kEach; ++i) {
        while (!queue.push({p, i})) std::this_thread::yield();
      }
    });
  }
  int next[kProducers] = {};
  bool ordered = true;
  for (int taken = 0; taken < kProducers * kEach;) {
    std::pair<int, int> value;
    if (!queue.pop(value)) {
      std::this_thread::yield();
      continue;
    }
    ordered = ordered && value.second == next[value.first]++;
    ++taken;
  }
  for (auto& producer : producers) producer.join();
  CHECK(ordered);
  CHECK(queue.empty());
}

TEST_CASE("mailbox: whoever puts while the shard falls asleep wakes it") {
  for (const Backend backend : {Backend::kLinux, Backend::kPortable}) {
    Mailbox mailbox(makeWaiter(backend));
    constexpr uint64_t kCount = 5'000;
    std::atomic<uint64_t> seen{0};
    std::thread shard([&] {
      ShardMessage message;
      while (seen.load() < kCount) {
        while (mailbox.messages().pop(message)) seen.fetch_add(1);
        // Without an end: a lost wake-up hangs this test.
        if (seen.load() < kCount) mailbox.sleep(kNever);
      }
    });
    for (uint64_t i = 0; i < kCount; ++i) {
      while (!mailbox.put(ShardMessage{KeyFrameWanted{}})) std::this_thread::yield();
      mailbox.ring();
      // Let it fall asleep now and then.
      if (i % 64 == 0) {
        while (seen.load() <= i) std::this_thread::yield();
      }
    }
    shard.join();
    CHECK(seen.load() == kCount);
  }
}

TEST_CASE("outbox: many events, one notification; a full one says how many were lost") {
  int notified = 0;
  Outbox outbox([&] { ++notified; });
  Outbox::Contents contents;
  for (size_t i = 0; i < Outbox::kEvents; ++i) CHECK(outbox.put(Event{SessionConnected{SessionKey{i}}}));
  CHECK_FALSE(outbox.put(Event{SessionConnected{}}));
  CHECK_FALSE(outbox.put(Event{SessionConnected{}}));
  CHECK(notified == 1);
  outbox.take(contents);
  CHECK(contents.events.size() == Outbox::kEvents);
  CHECK(contents.eventsLost == 2);
  contents.clear();
  CHECK(outbox.put(Event{SessionConnected{}}));
  CHECK_MESSAGE(notified == 2, "something new: notified again");
  outbox.take(contents);
  CHECK(contents.events.size() == 1);
  CHECK(contents.eventsLost == 0);
}

TEST_CASE("outbox: no answer overtakes an event that was put before it") {
  Outbox outbox([] {});
  constexpr uint64_t kCount = 20'000;
  std::thread shard([&] {
    for (uint64_t i = 0; i < kCount; ++i) {
      while (!outbox.put(Event{SessionConnected{SessionKey{i}}})) std::this_thread::yield();
      auto answer = std::make_unique<Answer>();
      answer->ticket = i;
      while (!outbox.put(std::move(answer))) std::this_thread::yield();
    }
  });
  Outbox::Contents contents;
  uint64_t events = 0;
  uint64_t answers = 0;
  bool overtaken = false;
  while (answers < kCount) {
    contents.clear();
    outbox.take(contents);
    events += contents.events.size();
    for (const auto& answer : contents.answers) overtaken = overtaken || answer->ticket >= events;
    answers += contents.answers.size();
  }
  shard.join();
  CHECK_FALSE(overtaken);
}

TEST_CASE("local ends: equal ends have equal numbers, from any thread, and a full table gives none") {
  LocalEnds ends;
  const auto end = [](unsigned i) {
    LocalEnd e;
    e.ip.family = 4;
    e.ip.ip[3] = static_cast<uint8_t>(i);
    e.ip.ip[2] = static_cast<uint8_t>(i >> 8);
    return e;
  };
  std::vector<uint8_t> first(100);
  std::vector<uint8_t> second(100);
  std::thread other([&] {
    for (unsigned i = 0; i < 100; ++i) second[i] = ends.number(end(99 - i));
  });
  for (unsigned i = 0; i < 100; ++i) first[i] = ends.number(end(i));
  other.join();
  for (unsigned i = 0; i < 100; ++i) {
    CHECK(first[i] == second[99 - i]);
    REQUIRE(ends.at(first[i]) != nullptr);
    CHECK(*ends.at(first[i]) == end(i));
  }
  for (unsigned i = 100; i < 255; ++i) CHECK(ends.number(end(i)) != LocalEnds::kAny);
  CHECK(ends.number(end(255)) == LocalEnds::kAny);
  CHECK(ends.at(LocalEnds::kAny) == nullptr);
}
