// Parts of the receiving side, each by itself: sequence, loss, repair requests, feedback, audio levels.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "core/receive/audio_activity.h"
#include "core/receive/key_frame_requester.h"
#include "core/receive/nack_generator.h"
#include "core/receive/reception_statistics.h"
#include "core/receive/sequence.h"
#include "core/receive/transport_recorder.h"

using namespace sluice;
using namespace sluice::receive;

namespace {

std::vector<uint16_t> ask(NackGenerator& nacks, TimeUs nowUs, TimeUs rttUs, bool* gaveUp = nullptr) {
  std::array<uint16_t, 64> out{};
  const auto due = nacks.due(nowUs, rttUs, out);
  if (gaveUp != nullptr) *gaveUp = due.gaveUp;
  return {out.begin(), out.begin() + static_cast<ptrdiff_t>(due.count)};
}

}  // namespace

TEST_CASE("sequence: each packet is new once, in whatever order they arrive and wherever the wrap is") {
  std::mt19937 random(5);
  for (int round = 0; round < 50; ++round) {
    const SeqNo first = 65'536 + static_cast<SeqNo>(random() % 65'536);
    std::vector<std::pair<SeqNo, SeqNo>> order;  // arrival, number
    for (SeqNo i = 0; i < 3'000; ++i) {
      const auto late = static_cast<SeqNo>(random() % 5 == 0 ? random() % 400 : 0);
      order.emplace_back(i + late, first + i);
      if (random() % 50 == 0) order.emplace_back(i + late + static_cast<SeqNo>(random() % 400), first + i);
    }
    std::sort(order.begin(), order.end());
    // The numbering begins with whatever comes first, so compare distances.
    Sequence sequence;
    std::set<SeqNo> seen;
    std::set<SeqNo> missing;
    SeqNo shift = 0;
    for (const auto& [arrival, sent] : order) {
      const auto o = sequence.note(static_cast<uint16_t>(sent));
      if (seen.empty()) shift = o.seq - sent;
      REQUIRE(o.verdict == (seen.insert(sent).second ? Sequence::Verdict::kNew : Sequence::Verdict::kDuplicate));
      CHECK(o.seq == sent + shift);
      missing.erase(o.seq);
      for (SeqNo s = o.missingFrom; s < o.missingTo; ++s) missing.insert(s);
    }
    CHECK(sequence.expected() == *seen.rbegin() - *seen.begin() + 1);
    for (SeqNo s : missing) CHECK_FALSE(seen.contains(s - shift));
  }
}

TEST_CASE("sequence: a jump is believed when a second packet follows it, and numbers go on growing") {
  Sequence sequence;
  CHECK(sequence.note(100).seq == 65'636);
  CHECK(sequence.note(40'000).verdict == Sequence::Verdict::kTooOld);
  CHECK(sequence.note(101).seq == 65'637);  // it was a stray
  CHECK(sequence.note(40'000).verdict == Sequence::Verdict::kTooOld);
  const auto restarted = sequence.note(40'001);
  CHECK(restarted.verdict == Sequence::Verdict::kNew);
  CHECK(restarted.restarted);
  CHECK(restarted.seq > 65'637);
  CHECK(static_cast<uint16_t>(restarted.seq) == 40'001);
  CHECK(restarted.missingFrom == restarted.missingTo);
  CHECK(sequence.expected() == 3);
}

TEST_CASE("sequence: a repaired packet fills a gap, and moves nothing") {
  Sequence sequence;
  CHECK_FALSE(sequence.noteRepaired(5));
  (void)sequence.note(10);
  (void)sequence.note(13);
  CHECK(sequence.noteRepaired(12)->verdict == Sequence::Verdict::kNew);
  CHECK(sequence.noteRepaired(12)->verdict == Sequence::Verdict::kDuplicate);
  CHECK_FALSE(sequence.noteRepaired(14));
  CHECK(static_cast<uint16_t>(sequence.highest()) == 13);
}

TEST_CASE("reports: loss of an interval and of the whole, as RFC 3550 appendix A.3 counts them") {
  ReceptionStatistics statistics;
  for (uint32_t i = 0; i < 75; ++i) statistics.note(i * 960, TimeUs{i} * 20'000, 48'000);
  auto b = statistics.report(7, 100, 65'536 + 99, 2 * kSecondUs);
  CHECK(b.ssrc == 7);
  CHECK(b.fractionLost == 64);
  CHECK(b.lost == 25);
  CHECK(b.highestSeq == 99);
  CHECK(b.lastSenderReport == 0);
  statistics.noteSenderReport(0x1122334455667788, 3 * kSecondUs);
  for (uint32_t i = 100; i < 110; ++i) statistics.note(i * 960, TimeUs{i} * 20'000, 48'000);
  b = statistics.report(7, 110, 65'536 + 109, 3 * kSecondUs + kSecondUs / 2);
  CHECK(b.fractionLost == 0);
  CHECK(b.lost == 25);
  CHECK(b.lastSenderReport == 0x33445566);
  CHECK(b.delaySinceLastReport == 32'768);
}

TEST_CASE("reports: jitter is zero for an even stream and follows appendix A.8 for an uneven one") {
  ReceptionStatistics even;
  for (uint32_t i = 0; i < 100; ++i) even.note(i * 3'000, TimeUs{i} * 100'000 / 3, 90'000);
  CHECK(even.jitter() <= 1);
  ReceptionStatistics uneven;
  double j = 0;
  for (uint32_t i = 0; i < 1'000; ++i) {
    uneven.note(i * 900, TimeUs{i} * 10'000 + (i % 2) * 5'000, 90'000);
    if (i > 0) j += (450 - j) / 16;
  }
  CHECK(std::abs(uneven.jitter() - j) < 2);
}

TEST_CASE("nack: asks at once, again after one round trip, at most ten times") {
  NackGenerator nacks(10 * kSecondUs);
  CHECK(nacks.missing(5, 7, 0));
  constexpr TimeUs kRtt = 50 * kMillisecondUs;
  CHECK(ask(nacks, 0, kRtt) == std::vector<uint16_t>{5, 6});
  CHECK(ask(nacks, kRtt - 1, kRtt).empty());
  int times = 1;
  bool gaveUp = false;
  for (TimeUs now = kRtt; !gaveUp; now += kRtt) {
    CHECK(nacks.nextDeadline() == now);
    if (!ask(nacks, now, kRtt, &gaveUp).empty()) ++times;
  }
  CHECK(times == NackGenerator::kMaxTries);
  CHECK(nacks.nextDeadline() == kNever);
  CHECK(nacks.missingNow() == 0);
}

TEST_CASE("nack: gives up what is too old, and says so") {
  NackGenerator nacks(100 * kMillisecondUs);
  CHECK(nacks.missing(5, 6, 0));
  bool gaveUp = false;
  CHECK(ask(nacks, 0, 60'000, &gaveUp).size() == 1);
  CHECK(ask(nacks, 60'000, 60'000, &gaveUp).size() == 1);
  CHECK_FALSE(gaveUp);
  CHECK(ask(nacks, 120'000, 60'000, &gaveUp).empty());
  CHECK(gaveUp);
}

TEST_CASE("nack: what arrives is not asked for, and measures the round trip when it was asked for once") {
  NackGenerator nacks(kSecondUs);
  CHECK(nacks.missing(5, 9, 0));
  CHECK_FALSE(nacks.arrived(6, 0));  // reordered: never asked
  CHECK(ask(nacks, 0, 20'000) == std::vector<uint16_t>{5, 7, 8});
  CHECK(nacks.arrived(7, 12'000) == TimeUs{12'000});
  CHECK(ask(nacks, 20'000, 20'000) == std::vector<uint16_t>{5, 8});
  CHECK_FALSE(nacks.arrived(8, 30'000));  // which question was answered is not known
  CHECK_FALSE(nacks.arrived(8, 30'000));
}

TEST_CASE("nack: a stream that broke off is not asked for packet by packet") {
  NackGenerator nacks(kSecondUs);
  CHECK(nacks.missing(0, 200, 0));
  CHECK_FALSE(nacks.missing(200, 400, 0));
  CHECK(nacks.missingNow() == 0);
  CHECK(nacks.nextDeadline() == kNever);
}

TEST_CASE("nack: more than one message holds stays due") {
  NackGenerator nacks(kSecondUs);
  CHECK(nacks.missing(0, 100, 0));
  CHECK(ask(nacks, 0, 50'000).size() == 64);
  CHECK(nacks.nextDeadline() <= 0);
  CHECK(ask(nacks, 0, 50'000).size() == 36);
  CHECK(nacks.nextDeadline() == 50'000);
}

TEST_CASE("key frames: asked for at once, again when none came, and at most twice a second when they do") {
  KeyFrameRequester requester;
  CHECK_FALSE(requester.due(0, 0));
  requester.want(1'000);
  CHECK(requester.due(1'000, 0));
  requester.want(2'000);
  CHECK_FALSE(requester.due(2'000, 0));
  CHECK(requester.nextDeadline() == 301'000);
  CHECK(requester.due(301'000, 0));
  requester.arrived();
  CHECK(requester.nextDeadline() == kNever);
  requester.want(600'000);  // another subscriber, too soon
  CHECK_FALSE(requester.due(600'000, 0));
  CHECK(requester.due(801'000, 0));
  CHECK(requester.asked() == 3);
}

TEST_CASE("key frames: an unanswered request is repeated after a round trip and a half, then ever later") {
  for (const TimeUs rtt : {TimeUs{0}, 600 * kMillisecondUs, 10 * kSecondUs}) {
    KeyFrameRequester requester;
    requester.want(0);
    TimeUs wait = std::clamp(rtt * 3 / 2, KeyFrameRequester::kMinRetryUs, KeyFrameRequester::kMaxRetryUs);
    for (int i = 0; i < 8; ++i) {
      const TimeUs now = requester.nextDeadline();
      REQUIRE(requester.due(now, rtt));
      CHECK(requester.nextDeadline() - now == wait);
      wait = std::min(2 * wait, KeyFrameRequester::kMaxRetryUs);
    }
  }
}

TEST_CASE("key frames: a publisher that never answers is left alone in the end") {
  KeyFrameRequester requester;
  requester.want(0);
  uint32_t asked = 0;
  for (TimeUs now = 0; requester.wanted(); now = requester.nextDeadline()) {
    if (requester.due(now, kSecondUs)) ++asked;
  }
  CHECK(asked == KeyFrameRequester::kMaxTries);
}

TEST_CASE(
    "transport feedback: says of every packet when it came, late and lost ones too, in the order of their numbers") {
  std::mt19937 random(9);
  TransportRecorder recorder;
  CHECK(recorder.nextDeadline() == kNever);
  std::vector<int64_t> told(2'000, wire::kNotReceived);
  std::vector<int64_t> truth(2'000, wire::kNotReceived);
  TimeUs now = 5 * kSecondUs;
  const auto feedback = [&] {
    bool more = true;
    while (more) {
      std::array<uint8_t, 1'200> buffer{};
      wire::RtcpWriter writer(buffer);
      more = recorder.write(writer, 1, 2);
      wire::RtcpReader compound(writer.written());
      while (const auto block = compound.next()) {
        auto reader = wire::TransportFeedbackReader::open(wire::readFeedback(*block)->control);
        REQUIRE(reader);
        while (const auto status = reader->next()) {
          const auto index = static_cast<uint16_t>(status->seq - 65'000);
          REQUIRE(index < told.size());
          if (status->arrivalTicks != wire::kNotReceived) told[index] = status->arrivalTicks;
        }
      }
    }
  };
  std::vector<uint16_t> order(2'000);
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<uint16_t>(i);
  for (size_t i = 1; i < order.size(); ++i) {
    if (random() % 10 == 0) std::swap(order[i], order[i - std::min<size_t>(i, 1 + random() % 30)]);
  }
  for (uint16_t index : order) {
    now += static_cast<TimeUs>(random() % 5'000);
    if (random() % 10 != 0) {
      recorder.note(static_cast<uint16_t>(65'000 + index), now);
      truth[index] = now / wire::kTransportTickUs;
      CHECK(recorder.nextDeadline() <= now + TransportRecorder::kIntervalUs);
    }
    if (recorder.nextDeadline() <= now) feedback();
  }
  feedback();
  CHECK(recorder.nextDeadline() == kNever);
  CHECK(told == truth);
}

TEST_CASE("transport feedback: a sender whose numbers jump starts anew") {
  TransportRecorder recorder;
  recorder.note(10, 1'000);
  recorder.note(30'000, 2'000);
  std::array<uint8_t, 1'200> buffer{};
  wire::RtcpWriter writer(buffer);
  CHECK_FALSE(recorder.write(writer, 1, 2));
  wire::RtcpReader compound(writer.written());
  const auto reader = wire::TransportFeedbackReader::open(wire::readFeedback(*compound.next())->control);
  REQUIRE(reader);
  CHECK(reader->baseSeq() == 30'000);
  CHECK(reader->packets() == 1);
}

TEST_CASE("audio: loud for a window is active, in eighths, told once; quiet ends it") {
  AudioActivity audio;
  TimeUs now = 0;
  std::vector<AudioActivity::State> told;
  const auto speak = [&](uint8_t level, TimeUs forUs) {
    for (const TimeUs end = now + forUs; now < end; now += 20'000) {
      if (const auto change = audio.note(level, now)) told.push_back(*change);
    }
  };
  speak(60, 2 * kSecondUs);
  CHECK(told.empty());
  speak(10, 2 * kSecondUs);
  REQUIRE_FALSE(told.empty());
  CHECK(told.back().active);
  CHECK(told.back().level == doctest::Approx(0.375));  // 10^(-10/20) = 0.316, up to the next eighth
  const size_t before = told.size();
  speak(10, 2 * kSecondUs);
  CHECK(told.size() == before);
  speak(60, 3 * kSecondUs);
  CHECK_FALSE(told.back().active);
  CHECK(told.back().level == 0);
  CHECK(audio.nextDeadline() == kNever);
}

TEST_CASE("audio: fewer than two in five packets of a window are not speech") {
  AudioActivity audio;
  TimeUs now = 0;
  for (int i = 0; i < 500; ++i, now += 20'000) CHECK_FALSE(audio.note(i % 3 == 0 ? 10 : 127, now));
  CHECK_FALSE(audio.state().active);
}

TEST_CASE("audio: a speaker who stops sending falls silent") {
  AudioActivity audio;
  for (TimeUs now = 0; now < kSecondUs; now += 20'000) (void)audio.note(5, now);
  REQUIRE(audio.state().active);
  TimeUs now = kSecondUs;
  for (int i = 0; i < 20 && audio.nextDeadline() != kNever; ++i) {
    now = audio.nextDeadline();
    (void)audio.onDeadline(now);
  }
  CHECK_FALSE(audio.state().active);
  CHECK(audio.nextDeadline() == kNever);
  CHECK(now < 8 * kSecondUs);
}
