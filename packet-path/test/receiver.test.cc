// The receiving side of a session as a whole: whose packet it is, repair, reports, and what goes back.
#include "core/receive/receiver.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "core/format.h"
#include "world.h"

using namespace sluice;
using namespace sluice::receive;
using test::Rtp;

namespace {

CodecSpec codec(uint8_t pt, Codec c, std::optional<uint8_t> rtx = {}) {
  return {pt, c, 90'000, rtx, ""};
}

struct Side {
  PacketPool pool{1'024};
  Receiver receiver;
  TimeUs now = kSecondUs;
  PacketRef last;

  Side() {
    extensions.set(wire::ExtensionKind::kMid, test::kMidId);
    extensions.set(wire::ExtensionKind::kRid, test::kRidId);
    extensions.set(wire::ExtensionKind::kRepairedRid, test::kRepairedRidId);
    extensions.set(wire::ExtensionKind::kTransportCc, test::kTransportCcId);
    extensions.set(wire::ExtensionKind::kAudioLevel, test::kAudioLevelId);
    extensions.set(wire::ExtensionKind::kVideoOrientation, test::kOrientationId);
  }
  void apply(const std::vector<IncomingTrackSpec>& tracks) {
    receiver.apply(tracks, extensions, [this](IncomingTrack& t) { gone.push_back(t.key()); });
  }
  Receiver::Result give(const Rtp& rtp) {
    last = pool.take();
    const test::Datagram bytes = rtp.bytes();
    std::copy(bytes.begin(), bytes.end(), last.fill().bytes);
    last.fill().size = static_cast<uint16_t>(bytes.size());
    const auto header = wire::parseRtp(Bytes(last->bytes, last->size));
    REQUIRE(header);
    return receiver.receive(last.fill(), *header, now);
  }
  Verdict verdict(const Rtp& rtp) { return give(rtp).received.verdict; }

  wire::ExtensionMap extensions;
  std::vector<TrackKey> gone;
};

Rtp video(Ssrc ssrc, uint16_t seq, std::vector<std::pair<uint8_t, test::Datagram>> extensions = {}) {
  Rtp r = test::vp8Frame(ssrc, seq, seq * 3'000U, true, 1)[0];
  r.extensions = std::move(extensions);
  return r;
}

Rtp repairOf(const Rtp& original, Ssrc ssrc, uint16_t seq) {
  Rtp r = original;
  r.payloadType = 97;
  r.ssrc = ssrc;
  r.seq = seq;
  r.payload.insert(r.payload.begin(), {static_cast<uint8_t>(original.seq >> 8), static_cast<uint8_t>(original.seq)});
  return r;
}

test::Datagram text(const char* s) {
  return {s, s + std::char_traits<char>::length(s)};
}

IncomingTrackSpec simulcast(uint64_t track, const char* mid) {
  IncomingTrackSpec t = test::videoIn(track, 0);
  t.mid = mid;
  t.streams = {{{}, {}, "q"}, {{}, {}, "h"}, {{}, {}, "f"}};
  return t;
}

}  // namespace

TEST_CASE("receiver: streams are found by MID and RID when the SDP named no SSRC, and kept by SSRC from then on") {
  Side side;
  side.apply({simulcast(1, "0"), simulcast(2, "1")});
  CHECK(side.verdict(video(50, 1)) == Verdict::kUnknownSource);
  CHECK(side.verdict(video(50, 1, {{test::kMidId, text("1")}})) == Verdict::kUnknownSource);  // which of three?
  CHECK(side.verdict(video(50, 1, {{test::kMidId, text("1")}, {test::kRidId, text("x")}})) == Verdict::kUnknownSource);
  auto r = side.give(video(50, 1, {{test::kMidId, text("1")}, {test::kRidId, text("h")}}));
  CHECK(r.received.verdict == Verdict::kAccepted);
  CHECK(r.received.started);
  REQUIRE(r.track != nullptr);
  CHECK(r.track->key() == TrackKey{2});
  CHECK(side.last->encoding == 1);
  r = side.give(video(50, 2));
  CHECK(r.received.verdict == Verdict::kAccepted);
  CHECK_FALSE(r.received.started);
  CHECK(side.verdict(video(60, 9, {{test::kMidId, text("0")}, {test::kRidId, text("f")}})) == Verdict::kAccepted);
  CHECK(side.last->encoding == 2);
}

TEST_CASE("receiver: a retransmission stream is learnt by repaired RID, or by its payload type where that is enough") {
  Side side;
  side.apply({simulcast(1, "0")});
  (void)side.give(video(50, 1, {{test::kMidId, text("0")}, {test::kRidId, text("h")}}));
  (void)side.give(video(50, 3));
  const Rtp lost = video(50, 2);
  CHECK(side.verdict(repairOf(lost, 51, 7)) == Verdict::kUnknownSource);
  Rtp repair = repairOf(lost, 51, 7);
  repair.extensions = {{test::kMidId, text("0")}, {test::kRepairedRidId, text("h")}};
  CHECK(side.verdict(repair) == Verdict::kAccepted);
  CHECK(side.last->recovered);
  CHECK(side.last->ssrc == 50);
  CHECK(static_cast<uint16_t>(side.last->seq) == 2);
  CHECK(side.last->payloadType == 96);
  CHECK(side.last->payloadSize == lost.payload.size());
  CHECK(std::equal(lost.payload.begin(), lost.payload.end(), side.last->payload().begin()));

  Side single;
  single.apply({test::videoIn(1, 50)});  // media SSRC named, the other not
  (void)single.give(video(50, 1));
  (void)single.give(video(50, 3));
  CHECK(single.verdict(repairOf(lost, 99, 7)) == Verdict::kAccepted);
}

TEST_CASE("receiver: without a MID a payload type tells, if one track alone uses it (RFC 8843 §9.2)") {
  Side side;
  IncomingTrackSpec one = test::videoIn(1, 0);
  one.streams.clear();
  IncomingTrackSpec other = one;
  other.track = TrackKey{2};
  side.apply({one, other});
  CHECK(side.verdict(video(50, 1)) == Verdict::kUnknownSource);
  other.codecs = {codec(98, Codec::kVp9)};
  side.apply({one, other});
  CHECK(side.give(video(50, 1)).track->key() == TrackKey{1});
}

TEST_CASE("receiver: what repairs nothing is told apart") {
  Side side;
  side.apply({test::videoIn(1, 50, 51)});
  Rtp probe = repairOf(video(50, 1), 51, 1);
  CHECK(side.verdict(probe) == Verdict::kRtxMalformed);  // before any media
  (void)side.give(video(50, 1));
  (void)side.give(video(50, 3));
  CHECK(side.verdict(probe) == Verdict::kDuplicate);
  probe.payload.clear();
  CHECK(side.verdict(probe) == Verdict::kRtxPadding);
  probe.payload = {1};
  CHECK(side.verdict(probe) == Verdict::kRtxMalformed);
  CHECK(side.verdict(repairOf(video(50, 4), 51, 2)) == Verdict::kTooOld);  // of the future
  CHECK(side.verdict(repairOf(video(50, 2), 51, 3)) == Verdict::kAccepted);
  Rtp wrong = video(50, 4);
  wrong.payloadType = 97;
  CHECK(side.verdict(wrong) == Verdict::kUnknownPayloadType);
  wrong.payloadType = 100;
  CHECK(side.verdict(wrong) == Verdict::kUnknownPayloadType);
}

TEST_CASE("receiver: a lost packet is asked for, a stream given up asks for a key frame, both name the right stream") {
  Side side;
  side.apply({test::videoIn(1, 50, 51)});
  (void)side.give(video(50, 1));
  (void)side.give(video(50, 4));
  CHECK(side.receiver.nextDeadline() <= side.now);
  std::vector<uint16_t> asked;
  uint64_t plis = 0;
  for (int i = 0; i < 300; ++i) {
    std::array<uint8_t, 1'200> buffer{};
    wire::RtcpWriter writer(buffer);
    const auto written = side.receiver.writeDue(writer, 1, side.now, 50'000);
    CHECK_FALSE(written.more);
    wire::RtcpReader reader(writer.written());
    while (const auto b = reader.next()) {
      const auto feedback = wire::readFeedback(*b);
      REQUIRE(feedback);
      CHECK(feedback->media == 50);
      if (b->type == wire::RtcpType::kPayloadFeedback) {
        ++plis;
      } else {
        wire::readNacks(feedback->control, [&](uint16_t seq) { asked.push_back(seq); });
      }
    }
    side.now += 10 * kMillisecondUs;
  }
  CHECK(asked.size() == 2 * NackGenerator::kMaxTries);
  CHECK(std::count(asked.begin(), asked.end(), 2) == NackGenerator::kMaxTries);
  CHECK(plis >= 3);
  CHECK(plis <= 6);
  (void)side.give(video(50, 5));  // a key frame
  side.now += kSecondUs;
  std::array<uint8_t, 1'200> buffer{};
  wire::RtcpWriter writer(buffer);
  (void)side.receiver.writeDue(writer, 1, side.now, 50'000);
  CHECK(writer.size() == 0);
}

TEST_CASE("receiver: a mountain of lost packets is asked for in as many messages as it takes") {
  Side side;
  side.apply({test::videoIn(1, 50)});
  (void)side.give(video(50, 0));
  for (uint16_t seq = 2; seq < 560; seq = static_cast<uint16_t>(seq + 2)) (void)side.give(video(50, seq));
  size_t asked = 0;
  bool more = true;
  while (more) {
    std::array<uint8_t, 1'200> buffer{};
    wire::RtcpWriter writer(buffer);
    const auto written = side.receiver.writeDue(writer, 1, side.now, 50'000);
    asked += written.nacks;
    more = written.more;
    if (more) REQUIRE(writer.size() > 0);
  }
  CHECK(asked == 279);
}

TEST_CASE("receiver: the round trip is measured by what answers the first question") {
  Side side;
  side.apply({test::videoIn(1, 50, 51)});
  (void)side.give(video(50, 1));
  (void)side.give(video(50, 3));
  std::array<uint8_t, 1'200> buffer{};
  wire::RtcpWriter writer(buffer);
  (void)side.receiver.writeDue(writer, 1, side.now, 50'000);
  side.now += 33'000;
  const auto r = side.give(repairOf(video(50, 2), 51, 1));
  CHECK(r.received.rttSampleUs == TimeUs{33'000});
}

TEST_CASE("receiver: a spec that changes disturbs nothing that did not change") {
  Side side;
  IncomingTrackSpec camera = simulcast(1, "0");
  side.apply({camera});
  (void)side.give(video(50, 1, {{test::kMidId, text("0")}, {test::kRidId, text("h")}}));
  const IncomingTrack* track = side.receiver.find(TrackKey{1});
  const IncomingStream* stream = track->encodings()[1].stream.get();
  side.apply({camera, test::audioIn(2, 70)});
  CHECK(side.receiver.find(TrackKey{1}) == track);
  CHECK(track->encodings()[1].stream.get() == stream);
  CHECK(side.verdict(video(50, 2)) == Verdict::kAccepted);
  camera.streams.push_back({{}, {}, "x"});
  camera.codecs.push_back(codec(98, Codec::kVp9));
  side.apply({camera});
  CHECK(side.gone == std::vector<TrackKey>{TrackKey{2}});
  CHECK(side.verdict(video(50, 3)) == Verdict::kAccepted);
  CHECK(track->encodings()[1].stream.get() == stream);
  side.apply({});
  CHECK(side.verdict(video(50, 4)) == Verdict::kUnknownSource);
}

TEST_CASE("receiver: another SSRC under the same MID and RID takes the stream over") {
  Side side;
  side.apply({test::videoIn(1, 50)});
  (void)side.give(video(50, 1));
  CHECK(side.verdict(video(80, 900, {{test::kMidId, text("v1")}})) == Verdict::kAccepted);
  CHECK(side.last->ssrc == 80);
  CHECK(side.last->encoding == 0);
}

TEST_CASE("receiver: passes on what receivers may want, reads what is its own, and drops the rest") {
  Side side;
  side.apply({test::videoIn(1, 50)});
  (void)side.give(video(50, 1,
                        {{test::kMidId, text("v1")},
                         {test::kTransportCcId, {0, 9}},
                         {test::kOrientationId, {1}},
                         {7, {1, 2, 3}},
                         {test::kAudioLevelId, {0x85}}}));
  REQUIRE(side.last->extensionCount == 2);
  CHECK(side.last->extensions[0].kind == wire::ExtensionKind::kVideoOrientation);
  CHECK(side.last->extension(side.last->extensions[0])[0] == 1);
  CHECK(side.last->audioLevel == 0x85);
  CHECK(side.receiver.nextDeadline(nullptr) == side.now + TransportRecorder::kIntervalUs);
}

TEST_CASE("receiver: reports cover every stream that was heard, however many there are") {
  Side side;
  std::vector<IncomingTrackSpec> tracks;
  for (uint64_t i = 0; i < 50; ++i) tracks.push_back(test::audioIn(i, static_cast<Ssrc>(100 + i)));
  side.apply(tracks);
  for (Ssrc i = 0; i < 49; ++i) (void)side.give(test::opus(100 + i, 1, 0));
  std::vector<Ssrc> reported;
  size_t from = 0;
  do {
    std::array<wire::ReportBlock, 10> blocks;
    const auto reports = side.receiver.reports(from, blocks, side.now);
    for (size_t i = 0; i < reports.count; ++i) reported.push_back(blocks[i].ssrc);
    from = reports.next;
  } while (from != 0);
  CHECK(reported.size() == 49);
  CHECK(std::is_sorted(reported.begin(), reported.end()));
}

TEST_CASE("receiver: a publisher that never reports gets a clock of its own after a while") {
  Side side;
  side.apply({test::videoIn(1, 50), test::audioIn(2, 60)});
  (void)side.give(video(50, 1));
  size_t made = 0;
  const auto standIn = [&] { side.receiver.standInForReports(side.now, [&](const Receiver::Heard&) { ++made; }); };
  standIn();
  CHECK(made == 0);
  side.now += 12 * kSecondUs;
  (void)side.give(video(50, 2));
  standIn();
  CHECK(made == 1);
  (void)side.receiver.senderReport({50, 1, 2, 3, 4}, side.now);
  standIn();
  CHECK(made == 1);
}
