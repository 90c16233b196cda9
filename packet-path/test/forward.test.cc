// Which packets a subscriber gets and under which numbers, where sources have no layers; what a track remembers.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "core/forward/layer_selector.h"
#include "core/forward/layers.h"
#include "core/forward/packet_history.h"

using namespace sluice;
using namespace sluice::forward;
using Verdict = LayerSelector::Verdict;

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
    f.payloadSize = 100;
    return p;
  }
};

/// A subscriber of a track whose payloads say nothing of layers.
struct Watcher {
  Watcher(uint64_t random, SeqNo firstSeq) : selector(random, firstSeq) {}

  Verdict consider(const Packet& packet) {
    FrameInfo info;
    (void)layers.note(packet, codec, info);
    return selector.consider(packet, codec, info, {layers, {}}, out);
  }

  Codec codec = Codec::kOther;
  Layers layers;
  LayerSelector selector;
  Rewritten out;
};

}  // namespace

TEST_CASE("selector: numbers depend on the packet alone, not on the order of arrival, through every wrap") {
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
    Watcher watcher(random(), static_cast<SeqNo>(random() & 0x7FFF));
    const SeqNo start = watcher.selector.nextSeq();
    std::set<SeqNo> used;
    uint32_t offset = 0;
    for (const auto& [arrival, i] : order) {
      const PacketRef p = source.make(first + i, timestamp + static_cast<uint32_t>(i) * 90, arrival * 1'000);
      REQUIRE(watcher.consider(*p) == Verdict::kForward);
      const Rewritten& out = watcher.out;
      if (i == 0) offset = out.timestamp - p->timestamp;
      CHECK(out.seq == start + i);
      CHECK(out.timestamp - p->timestamp == offset);
      CHECK(used.insert(out.seq).second);
    }
  }
}

TEST_CASE("selector: no number is used twice and none goes back, whatever its sources do") {
  std::mt19937_64 random(22);
  for (int round = 0; round < 60; ++round) {
    Source source;
    Watcher watcher(random(), static_cast<SeqNo>(random() & 0x7FFF));
    std::set<SeqNo> used;
    std::set<std::pair<Ssrc, SeqNo>> given;
    SeqNo highest = watcher.selector.nextSeq() - 1;
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
          watcher.selector.setPaused(!watcher.selector.paused());
          break;
        case 4:  // loss
          seq += static_cast<SeqNo>(random() % 500);
          break;
        case 5:  // the track is another one
          watcher.selector.leaveSource();
          break;
        default:
          break;
      }
      const bool late = random() % 20 == 0;
      const PacketRef p = source.make(late ? seq - static_cast<SeqNo>(random() % 300) - 2'000 : seq, timestamp, now,
                                      random() % 10 == 0, static_cast<uint8_t>(random() % 30 == 0));
      if (!given.emplace(p->ssrc, p->seq).second) continue;  // receiving streams let no packet through twice
      if (watcher.consider(*p) != Verdict::kForward) continue;
      const Rewritten& out = watcher.out;
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

TEST_CASE("selector: another source continues right behind the last one, with the time that passed") {
  Source source;
  Watcher watcher(0x1234'5678'0000'0000, 100);
  (void)watcher.consider(*source.make(500, 9'000, 0));
  (void)watcher.consider(*source.make(501, 12'000, 33'333));
  const Rewritten before = watcher.out;
  source.ssrc = 8;
  REQUIRE(watcher.consider(*source.make(90'000, 4'000'000'000, 533'333)) == Verdict::kForward);
  CHECK(watcher.out.seq == before.seq + 1);
  CHECK(watcher.out.timestamp == before.timestamp + 45'000);
  (void)watcher.consider(*source.make(90'001, 4'000'003'000, 566'666));
  CHECK(watcher.out.seq == before.seq + 2);
  CHECK(watcher.out.timestamp == before.timestamp + 48'000);
}

TEST_CASE("selector: video enters at a key frame only, and asks for one until then") {
  Source source;
  Watcher watcher(0, 0);
  CHECK(watcher.consider(*source.make(1, 0, 0, false)) == Verdict::kWaitingForKeyFrame);
  CHECK(watcher.selector.keyFrameWanted() == 0);
  CHECK_FALSE(watcher.selector.flowing());
  CHECK(watcher.consider(*source.make(2, 0, 0, true)) == Verdict::kForward);
  CHECK_FALSE(watcher.selector.keyFrameWanted());
  CHECK(watcher.out.seq == 0);
  CHECK(watcher.consider(*source.make(1, 0, 0, false)) == Verdict::kLate);
  CHECK(watcher.consider(*source.make(3, 0, 0, false)) == Verdict::kForward);
}

TEST_CASE("selector: after an outage that no receiver can repair video waits for a key frame") {
  Source source;
  Watcher watcher(0, 0);
  (void)watcher.consider(*source.make(1, 0, 0, true));
  CHECK(watcher.consider(*source.make(1 + LayerSelector::kMaxGap, 0, 0, false)) == Verdict::kForward);
  CHECK(watcher.consider(*source.make(3'000, 0, 0, false)) == Verdict::kWaitingForKeyFrame);
  CHECK(watcher.consider(*source.make(3'001, 0, 0, true)) == Verdict::kForward);
  CHECK(watcher.out.seq == 1 + LayerSelector::kMaxGap);
}

TEST_CASE("selector: a pause leaves no gap, and keeps the clock") {
  Source source;
  Watcher watcher(0, 50);
  (void)watcher.consider(*source.make(10, 1'000, 0, true));
  const Rewritten before = watcher.out;
  watcher.selector.setPaused(true);
  CHECK(watcher.consider(*source.make(11, 4'000, 33'000, true)) == Verdict::kPaused);
  watcher.selector.setPaused(false);
  CHECK(watcher.consider(*source.make(12, 7'000, 66'000, false)) == Verdict::kWaitingForKeyFrame);
  CHECK(watcher.consider(*source.make(13, 10'000, 100'000, true)) == Verdict::kForward);
  CHECK(watcher.out.seq == before.seq + 1);
  CHECK(watcher.out.timestamp == before.timestamp + 9'000);
}

TEST_CASE("selector: goes to a better encoding at its key frame, and shows the other until then") {
  Source source;
  Watcher watcher(0, 0);
  source.ssrc = 1;
  (void)watcher.consider(*source.make(10, 0, 0, true, 0));
  source.ssrc = 3;
  CHECK(watcher.consider(*source.make(900, 0, 10'000, false, 2)) == Verdict::kOtherEncoding);
  CHECK(watcher.selector.keyFrameWanted() == 2);
  source.ssrc = 1;
  CHECK(watcher.consider(*source.make(11, 3'000, 33'000, false, 0)) == Verdict::kForward);
  source.ssrc = 3;
  CHECK(watcher.consider(*source.make(901, 0, 40'000, true, 2)) == Verdict::kForward);
  CHECK(watcher.out.seq == 2);
  CHECK(watcher.selector.encoding() == 2);
  source.ssrc = 1;
  CHECK(watcher.consider(*source.make(12, 6'000, 66'000, true, 0)) == Verdict::kOtherEncoding);
  REQUIRE(watcher.selector.origin(1));
  CHECK(watcher.selector.origin(1)->source->ssrc == 1);
  CHECK(watcher.selector.origin(1)->in == 11);
  CHECK(watcher.selector.origin(2)->source->ssrc == 3);
  CHECK(watcher.selector.origin(2)->in == 901);
  CHECK_FALSE(watcher.selector.origin(3));
}

TEST_CASE("selector: another video codec under the same numbers is another source, another audio codec is not") {
  Source source;
  Watcher video(0, 0);
  video.codec = Codec::kH264;
  (void)video.consider(*source.make(1, 0, 0, true));
  video.codec = Codec::kH265;
  CHECK(video.consider(*source.make(2, 3'000, 33'000, false)) == Verdict::kWaitingForKeyFrame);
  CHECK(video.consider(*source.make(3, 6'000, 66'000, true)) == Verdict::kForward);
  CHECK(video.out.seq == 1);

  Watcher audio(0, 0);
  audio.codec = Codec::kRed;
  (void)audio.consider(*source.make(1, 0, 0));
  audio.codec = Codec::kOpus;
  CHECK(audio.consider(*source.make(3, 960, 20'000)) == Verdict::kForward);
  CHECK(audio.out.seq == 2);
  audio.codec = Codec::kRed;
  CHECK(audio.consider(*source.make(2, 480, 30'000)) == Verdict::kForward);
  CHECK(audio.out.seq == 1);
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
