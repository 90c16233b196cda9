#include "core/congestion/estimator.h"

#include <doctest/doctest.h>

#include <cmath>
#include <deque>
#include <random>
#include <string>

#include "core/congestion/allocator.h"
#include "core/wire/rtcp.h"

using namespace sluice;
using namespace sluice::congestion;

namespace {

struct Path {
  double capacityBps = 3e6;
  TimeUs oneWayUs = 20'000;
  double loss = 0;
  double queueMs = 300;
  double jitterMs = 0;
};

/// A sender that always has more to send, a bottleneck with a queue, and a receiver with feedback every 50 ms.
class Loop {
 public:
  explicit Loop(Path over, uint32_t seed = 1) : path(over), random_(seed) { estimator.setWanted(20'000'000); }

  void run(TimeUs duration, double useShare = 1.0) {
    const TimeUs end = now + duration;
    while (now < end) {
      now += 1'000;
      for (int64_t due = estimator.paddingDue(now); due > 0; due -= 1200) send(now);
      // Video at 30 fps: a frame in one burst.
      if (now % 33'000 < 1'000) {
        budget_ += std::min(useShare * static_cast<double>(estimator.target()), maxBps) * 0.033 / 8;
      }
      for (int i = 0; i < 4 && budget_ >= 1200; ++i, budget_ -= 1200) send(now);
      if (now >= feedbackAt_) feedback();
      while (!toSender_.empty() && toSender_.front().first <= now) {
        estimator.onFeedback(toSender_.front().second, now);
        toSender_.pop_front();
      }
      maxQueueMs = std::max(maxQueueMs, queueMs());
    }
  }

  double queueMs() const { return static_cast<double>(std::max<TimeUs>(0, busyUntil_ - now)) / 1000.0; }
  double mbps() const { return static_cast<double>(estimator.target()) / 1e6; }

  Path path;
  Estimator estimator{EstimatorConfig{}};
  TimeUs now = 1'000'000;
  double maxQueueMs = 0;
  double maxBps = 1e9;

 private:
  void send(TimeUs at) {
    ++lastSeq_;
    estimator.onSend(static_cast<uint16_t>(lastSeq_), 1200, at);
    if (std::uniform_real_distribution<>(0, 1)(random_) < path.loss) return;
    const TimeUs start = std::max(busyUntil_, at);
    if (static_cast<double>(start - at) / 1000.0 > path.queueMs) return;
    busyUntil_ = start + static_cast<TimeUs>(1228 * 8e6 / path.capacityBps);
    TimeUs arrival = busyUntil_ + path.oneWayUs;
    if (path.jitterMs > 0) {
      arrival += static_cast<TimeUs>(std::fabs(std::normal_distribution<>(0, path.jitterMs)(random_)) * 1000);
    }
    arrivals_.push_back({lastSeq_, arrival});
  }

  void feedback() {
    feedbackAt_ = now + 50'000;
    std::vector<std::pair<SeqNo, TimeUs>> got;
    std::erase_if(arrivals_, [&](const auto& a) {
      if (a.second > now) return false;
      got.push_back(a);
      return true;
    });
    if (got.empty()) return;
    // From the last one reported on, so that what is missing in between is told as missing.
    if (last_.first > 0) got.push_back(last_);
    SeqNo top = 0;
    SeqNo base = got.front().first;
    for (const auto& g : got) {
      if (g.first >= top) last_ = g;
      top = std::max(top, g.first);
      base = std::min(base, g.first);
    }
    std::vector<int64_t> ticks(static_cast<size_t>(top - base + 1), wire::kNotReceived);
    for (const auto& [seq, at] : got) ticks[static_cast<size_t>(seq - base)] = at / wire::kTransportTickUs;
    uint8_t buffer[1400];
    size_t done = 0;
    while (done < ticks.size()) {
      if (ticks[done] == wire::kNotReceived) {
        ++done;
        continue;
      }
      wire::RtcpWriter writer(buffer);
      const size_t n = writer.transportFeedback(1, 2, static_cast<uint16_t>(base + static_cast<SeqNo>(done)), count_++,
                                                std::span<const int64_t>(ticks).subspan(done));
      REQUIRE(n > 0);
      wire::RtcpReader reader(writer.written());
      const auto block = reader.next();
      const auto fb = wire::readFeedback(*block);
      toSender_.push_back({now + path.oneWayUs, std::vector<uint8_t>(fb->control.begin(), fb->control.end())});
      done += n;
    }
  }

  std::mt19937 random_;
  double budget_ = 0;
  TimeUs busyUntil_ = 0;
  TimeUs feedbackAt_ = 0;
  SeqNo lastSeq_ = 0;
  uint8_t count_ = 0;
  std::pair<SeqNo, TimeUs> last_{};
  std::deque<std::pair<SeqNo, TimeUs>> arrivals_;
  std::deque<std::pair<TimeUs, std::vector<uint8_t>>> toSender_;
};

}  // namespace

TEST_CASE("congestion: finds nine tenths of the capacity within five seconds, and stays near it") {
  for (const double capacity : {0.6e6, 1.5e6, 3e6, 8e6}) {
    Loop loop({.capacityBps = capacity});
    double most = 0;
    for (int i = 0; i < 50; ++i) {
      loop.run(100'000);
      most = std::max(most, loop.mbps() * 1e6);
    }
    double sum = 0;
    for (int i = 0; i < 100; ++i) {
      loop.run(100'000);
      sum += loop.mbps() * 1e6;
    }
    CAPTURE(capacity);
    CHECK(most >= 0.9 * capacity);
    CHECK(sum / 100 >= 0.8 * capacity);
    CHECK(sum / 100 <= 1.05 * capacity);
  }
}

TEST_CASE("congestion: after the capacity falls to a third, the queue is under 100 ms again within two seconds") {
  Loop loop({.capacityBps = 3e6});
  loop.run(15 * kSecondUs);
  loop.path.capacityBps = 1e6;
  loop.run(2 * kSecondUs);
  CAPTURE(loop.mbps());
  loop.maxQueueMs = 0;
  loop.run(3 * kSecondUs);
  CHECK(loop.maxQueueMs < 120);
  CHECK(loop.mbps() < 1.1);
}

TEST_CASE("congestion: a path that loses a tenth of everything by itself is not given up") {
  for (const double loss : {0.02, 0.1, 0.2}) {
    Loop loop({.capacityBps = 3e6, .loss = loss});
    loop.run(20 * kSecondUs);
    CAPTURE(loss);
    CAPTURE(loop.estimator.snapshot().inherentLoss);
    CHECK(loop.mbps() > 1.5);
  }
}

TEST_CASE("congestion: jitter of a radio link does not read as a growing queue") {
  Loop loop({.capacityBps = 4e6, .oneWayUs = 40'000, .jitterMs = 5});
  loop.run(20 * kSecondUs);
  CAPTURE(loop.mbps());
  CHECK(loop.mbps() > 1.5);
}

TEST_CASE("congestion: what is not used is neither claimed nor forgotten") {
  Loop loop({.capacityBps = 5e6});
  loop.run(10 * kSecondUs);
  const double before = loop.mbps();
  loop.maxBps = 200'000;
  loop.run(20 * kSecondUs);
  CAPTURE(before);
  CHECK(loop.mbps() > 0.5 * before);
  CHECK(loop.mbps() < 1.5 * 5);
}

TEST_CASE("congestion: the capacity comes back and is found again") {
  Loop loop({.capacityBps = 3e6});
  loop.run(10 * kSecondUs);
  loop.path.capacityBps = 0.5e6;
  loop.run(10 * kSecondUs);
  CHECK(loop.mbps() < 0.6);
  loop.path.capacityBps = 3e6;
  loop.run(12 * kSecondUs);
  CAPTURE(loop.mbps());
  CHECK(loop.mbps() > 2.0);
}

TEST_CASE("sent log: a packet missing in one report and there in the next counts once as each") {
  SentLog log;
  for (uint16_t i = 0; i < 4; ++i) log.note(i, 1000, 0, Content::kMedia, 1000 * i);
  uint8_t buffer[200];
  std::vector<PacketResult> results;
  const auto report = [&](std::vector<int64_t> ticks, uint16_t base) {
    wire::RtcpWriter writer(buffer);
    REQUIRE(writer.transportFeedback(1, 2, base, 0, ticks) == ticks.size());
    wire::RtcpReader reader(writer.written());
    const auto block = reader.next();
    results.clear();
    REQUIRE(log.read(wire::readFeedback(*block)->control, results));
  };
  report({100, wire::kNotReceived, 108}, 0);
  REQUIRE(results.size() == 3);
  CHECK_FALSE(results[1].received());
  CHECK(log.bytesInFlight() == 1000);
  report({110, 112, 114}, 1);
  REQUIRE(results.size() == 2);
  CHECK(results[0].seq == 1);
  CHECK(results[1].seq == 3);
  CHECK(log.bytesInFlight() == 0);
}

TEST_CASE("sent log: grows with what is in flight and stays bounded") {
  SentLog log;
  for (int i = 0; i < 100'000; ++i) log.note(static_cast<uint16_t>(i), 1200, 0, Content::kMedia, 10 * i);
  CHECK(log.capacity() == SentLog::kMaxEntries);
}

TEST_CASE("allocator: audio first, then a picture for everyone, then better ones where they are wanted most") {
  const Bps audio[] = {40'000};
  const Bps video[] = {150'000, 500'000, 1'700'000};
  std::vector<Demand> demands = {
      {.layers = video, .weight = 1, .current = -1, .mayPause = true},
      {.layers = video, .weight = 4, .current = -1, .mayPause = true},
      {.layers = audio, .weight = 1, .current = -1, .audio = true},
  };
  std::vector<int> chosen(3);
  allocate(demands, 210'000, chosen);
  CHECK(chosen == std::vector<int>{-1, 0, 0});
  allocate(demands, 400'000, chosen);
  CHECK(chosen == std::vector<int>{0, 0, 0});
  allocate(demands, 800'000, chosen);
  CHECK(chosen == std::vector<int>{0, 1, 0});
  allocate(demands, 10'000'000, chosen);
  CHECK(chosen == std::vector<int>{2, 2, 0});
  allocate(demands, 0, chosen);
  CHECK(chosen == std::vector<int>{-1, -1, 0});
  demands[0].mayPause = false;
  allocate(demands, 0, chosen);
  CHECK(chosen == std::vector<int>{0, -1, 0});
}

TEST_CASE("allocator: a budget that trembles around a layer's cost does not make the picture tremble") {
  const Bps video[] = {150'000, 500'000};
  std::vector<Demand> demands = {{.layers = video, .weight = 1, .current = 0, .mayPause = true}};
  std::vector<int> chosen(1);
  allocate(demands, 510'000, chosen);
  CHECK(chosen[0] == 0);
  allocate(demands, 600'000, chosen);
  CHECK(chosen[0] == 1);
  demands[0].current = 1;
  allocate(demands, 510'000, chosen);
  CHECK(chosen[0] == 1);
  allocate(demands, 490'000, chosen);
  CHECK(chosen[0] == 0);
}
