// Which packets a subscriber gets and under which numbers; what a track remembers; which encoding it prefers.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "core/forward/encodings.h"
#include "core/forward/packet_history.h"
#include "core/forward/subscription.h"

using namespace sluice;
using namespace sluice::forward;
using Verdict = Subscription::Verdict;

namespace {

struct Source {
  PacketPool pool{65'536};
  Ssrc ssrc = 7;
  uint32_t clockRateHz = 90'000;

  PacketRef make(SeqNo seq, uint32_t timestamp, TimeUs atUs, bool entryPoint = true, uint8_t encoding = 0) {
    PacketRef p = pool.take();
    REQUIRE(p);
    Packet& f = p.fill();
    f.ssrc = ssrc;
    f.seq = seq;
    f.timestamp = timestamp;
    f.receivedAtUs = atUs;
    f.entryPoint = entryPoint;
    f.encoding = encoding;
    f.clockRateHz = clockRateHz;
    return p;
  }
};

}  // namespace

TEST_CASE("subscription: numbers depend on the packet alone, not on the order of arrival, through every wrap") {
  std::mt19937_64 random(21);
  for (int round = 0; round < 4; ++round) {
    Source source;
    // Late packets stay within what receivers let through; the first is the entry.
    const SeqNo first = 65'536 + static_cast<SeqNo>(random() % 65'536);
    const auto timestamp = static_cast<uint32_t>(random());
    std::vector<std::pair<SeqNo, SeqNo>> order;
    for (SeqNo i = 0; i < 70'000; i += 1 + static_cast<SeqNo>(random() % 3)) {
      order.emplace_back(i == 0 ? 0 : i + static_cast<SeqNo>(random() % 60), i);
    }
    std::sort(order.begin(), order.end());
    Subscription subscription(random(), static_cast<SeqNo>(random() & 0x7FFF));
    const SeqNo start = subscription.nextSeq();
    std::set<SeqNo> used;
    uint32_t offset = 0;
    for (const auto& [arrival, i] : order) {
      const PacketRef p = source.make(first + i, timestamp + static_cast<uint32_t>(i) * 90, arrival * 1'000);
      Subscription::Rewritten out;
      REQUIRE(subscription.consider(*p, 0, out) == Verdict::kForward);
      if (i == 0) offset = out.timestamp - p->timestamp;
      CHECK(out.seq == start + i);
      CHECK(out.timestamp - p->timestamp == offset);
      CHECK(used.insert(out.seq).second);
    }
  }
}

TEST_CASE("subscription: no number is used twice and none goes back, whatever its sources do") {
  std::mt19937_64 random(22);
  for (int round = 0; round < 60; ++round) {
    Source source;
    Subscription subscription(random(), static_cast<SeqNo>(random() & 0x7FFF));
    std::set<SeqNo> used;
    SeqNo highest = subscription.nextSeq() - 1;
    SeqNo seq = 70'000;
    uint32_t timestamp = static_cast<uint32_t>(random());
    TimeUs now = kSecondUs;
    int64_t lastTimestamp = -1;
    for (int step = 0; step < 2'000; ++step) {
      now += static_cast<TimeUs>(random() % 20'000);
      timestamp += static_cast<uint32_t>(random() % 1'800);
      ++seq;
      switch (random() % 60) {
        case 0:  // the publisher comes back as another source
          source.ssrc = static_cast<Ssrc>(random());
          timestamp = static_cast<uint32_t>(random());
          seq = 65'536 + static_cast<SeqNo>(random() % 65'536);
          break;
        case 1:  // its numbers begin anew
          seq += 65'536 + static_cast<SeqNo>(random() % 60'000);
          break;
        case 2:  // mute
          now += static_cast<TimeUs>(random() % (20 * kSecondUs));
          break;
        case 3:
          subscription.setPaused(!subscription.paused());
          break;
        case 4:  // loss
          seq += static_cast<SeqNo>(random() % 500);
          break;
        case 5:  // the track is another one
          subscription.leaveSource();
          break;
        default:
          break;
      }
      const bool late = random() % 20 == 0;
      const PacketRef p = source.make(late ? seq - static_cast<SeqNo>(random() % 300) - 2'000 : seq, timestamp, now,
                                      random() % 10 == 0, static_cast<uint8_t>(random() % 30 == 0));
      Subscription::Rewritten out;
      if (subscription.consider(*p, 0, out) != Verdict::kForward) continue;
      CHECK(used.insert(out.seq).second);
      CHECK(out.seq >= 0);
      if (out.seq > highest) {
        highest = out.seq;
        const auto forward = static_cast<int32_t>(out.timestamp - static_cast<uint32_t>(lastTimestamp));
        if (lastTimestamp >= 0) CHECK(forward >= -90'000);
        lastTimestamp = out.timestamp;
      }
    }
  }
}

TEST_CASE("subscription: another source continues right behind the last one, with the time that passed") {
  Source source;
  Subscription subscription(0x1234'5678'0000'0000, 100);
  Subscription::Rewritten out;
  (void)subscription.consider(*source.make(500, 9'000, 0), 0, out);
  (void)subscription.consider(*source.make(501, 12'000, 33'333), 0, out);
  const auto before = out;
  source.ssrc = 8;
  REQUIRE(subscription.consider(*source.make(90'000, 4'000'000'000, 533'333), 0, out) == Verdict::kForward);
  CHECK(out.seq == before.seq + 1);
  CHECK(out.timestamp == before.timestamp + 45'000);
  (void)subscription.consider(*source.make(90'001, 4'000'003'000, 566'666), 0, out);
  CHECK(out.seq == before.seq + 2);
  CHECK(out.timestamp == before.timestamp + 48'000);
}

TEST_CASE("subscription: video enters at a key frame only, and asks for one until then") {
  Source source;
  Subscription subscription(0, 0);
  Subscription::Rewritten out;
  CHECK(subscription.consider(*source.make(1, 0, 0, false), 0, out) == Verdict::kWaitingForKeyFrame);
  CHECK(subscription.waitsForKeyFrame());
  CHECK_FALSE(subscription.flowing());
  CHECK(subscription.consider(*source.make(2, 0, 0, true), 0, out) == Verdict::kForward);
  CHECK_FALSE(subscription.waitsForKeyFrame());
  CHECK(out.seq == 0);
  CHECK(subscription.consider(*source.make(1, 0, 0, false), 0, out) == Verdict::kLate);
  CHECK(subscription.consider(*source.make(3, 0, 0, false), 0, out) == Verdict::kForward);
}

TEST_CASE("subscription: after an outage that no receiver can repair video waits for a key frame") {
  Source source;
  Subscription subscription(0, 0);
  Subscription::Rewritten out;
  (void)subscription.consider(*source.make(1, 0, 0, true), 0, out);
  CHECK(subscription.consider(*source.make(1 + Subscription::kMaxGap, 0, 0, false), 0, out) == Verdict::kForward);
  CHECK(subscription.consider(*source.make(3'000, 0, 0, false), 0, out) == Verdict::kWaitingForKeyFrame);
  CHECK(subscription.consider(*source.make(3'001, 0, 0, true), 0, out) == Verdict::kForward);
  CHECK(out.seq == 1 + Subscription::kMaxGap);
}

TEST_CASE("subscription: a pause leaves no gap, and keeps the clock") {
  Source source;
  Subscription subscription(0, 50);
  Subscription::Rewritten out;
  (void)subscription.consider(*source.make(10, 1'000, 0, true), 0, out);
  const auto before = out;
  subscription.setPaused(true);
  CHECK(subscription.consider(*source.make(11, 4'000, 33'000, true), 0, out) == Verdict::kPaused);
  subscription.setPaused(false);
  CHECK(subscription.consider(*source.make(12, 7'000, 66'000, false), 0, out) == Verdict::kWaitingForKeyFrame);
  CHECK(subscription.consider(*source.make(13, 10'000, 100'000, true), 0, out) == Verdict::kForward);
  CHECK(out.seq == before.seq + 1);
  CHECK(out.timestamp == before.timestamp + 9'000);
}

TEST_CASE("subscription: changes to the preferred encoding at its key frame, and shows the other until then") {
  Source source;
  Subscription subscription(0, 0);
  Subscription::Rewritten out;
  source.ssrc = 1;
  (void)subscription.consider(*source.make(10, 0, 0, true, 0), 0, out);
  source.ssrc = 3;
  CHECK(subscription.consider(*source.make(900, 0, 10'000, false, 2), 2, out) == Verdict::kOtherEncoding);
  CHECK(subscription.waitsForKeyFrame());
  source.ssrc = 1;
  CHECK(subscription.consider(*source.make(11, 3'000, 33'000, false, 0), 2, out) == Verdict::kForward);
  source.ssrc = 3;
  CHECK(subscription.consider(*source.make(901, 0, 40'000, true, 2), 2, out) == Verdict::kForward);
  CHECK(out.seq == 2);
  CHECK(subscription.encoding() == 2);
  source.ssrc = 1;
  CHECK(subscription.consider(*source.make(12, 6'000, 66'000, true, 0), 2, out) == Verdict::kOtherEncoding);
  REQUIRE(subscription.sourceAt(1) != nullptr);
  CHECK(subscription.sourceAt(1)->ssrc == 1);
  CHECK(subscription.sourceAt(2)->ssrc == 3);
  CHECK(subscription.sourceAt(3) == nullptr);
  CHECK(subscription.sourceAt(0) == nullptr);
}

TEST_CASE("history: finds what is young enough, in any order of arrival, and lets go of the rest") {
  std::mt19937 random(23);
  Source source;
  PacketHistory history(MediaKind::kVideo);
  TimeUs now = 0;
  SeqNo seq = 100'000;
  std::map<SeqNo, TimeUs> put;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<TimeUs>(random() % 4'000);
    seq += random() % 50 == 0 ? 300 : 1;
    const SeqNo s = random() % 10 == 0 ? seq - static_cast<SeqNo>(random() % 100) : seq;
    history.put(source.make(s, 0, now));
    put[s] = now;
    const SeqNo probe = seq - static_cast<SeqNo>(random() % 2'000);
    const PacketRef* found = history.find(source.ssrc, probe);
    if (found != nullptr) {
      CHECK((*found)->seq == probe);
      CHECK(put.contains(probe));
    } else if (put.contains(probe) && probe > seq - 900) {
      CHECK(now - put[probe] > PacketHistory::kMaxAgeUs - 200'000);
    }
    CHECK(source.pool.inUse() <= PacketHistory::kVideoPackets);
  }
  history.trim(now + 2 * PacketHistory::kMaxAgeUs);
  CHECK(history.empty());
  CHECK(source.pool.inUse() == 0);
}

TEST_CASE("history: another source under the same numbers is another packet") {
  Source source;
  PacketHistory history(MediaKind::kAudio);
  history.put(source.make(5, 0, 0));
  CHECK(history.find(7, 5) != nullptr);
  CHECK(history.find(8, 5) == nullptr);
  source.ssrc = 8;
  history.put(source.make(6, 0, 0));
  CHECK(history.find(7, 5) == nullptr);
  CHECK(source.pool.inUse() == 1);
}

TEST_CASE("encodings: the highest that is alive is preferred; one dies when others go on without it") {
  Source source;
  Encodings encodings;
  uint32_t timestamp = 0;
  TimeUs now = 0;
  const auto frame = [&](std::initializer_list<uint8_t> which) {
    for (uint8_t e : which) (void)encodings.note(*source.make(1, timestamp, now, true, e));
    timestamp += 3'000;
    now += 33'333;
  };
  frame({0});
  CHECK(encodings.preferred() == 0);
  frame({0, 1, 2});
  CHECK(encodings.preferred() == 2);
  for (int i = 0; i < 5; ++i) frame({0, 1});
  CHECK(encodings.preferred() == 2);
  for (int i = 0; i < 5; ++i) frame({0, 1});
  CHECK(encodings.preferred() == 1);
  frame({2});
  CHECK(encodings.preferred() == 2);
}

TEST_CASE("encodings: a still slide at one frame a second is not dead") {
  Source source;
  Encodings encodings;
  for (int i = 0; i < 20; ++i) {
    for (uint8_t e = 0; e < 3; ++e) {
      (void)encodings.note(*source.make(1, static_cast<uint32_t>(i) * 90'000, i * kSecondUs + e * 1'000, true, e));
      if (i > 0) CHECK(encodings.preferred() == 2);
    }
  }
}
