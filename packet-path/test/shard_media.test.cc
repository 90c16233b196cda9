// Media through whole shards: from a publisher's packets to its subscribers', and back.
#include "world.h"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr Ssrc kCamera = 1'000;
constexpr Ssrc kCameraRtx = 1'001;
constexpr Ssrc kOut = 2'000;
constexpr Ssrc kOutRtx = 2'001;

/// A publisher of video track 1 and subscribers of it.
struct Call {
  explicit Call(size_t receivers = 1, size_t shards = 1) : world(shards) {
    // Publisher on the first shard, subscribers spread.
    world.shardOf = [shards](const Address& a) { return (a.ip[3] - 2U) % shards; };
    SessionSpec p = sessionSpec(1);
    p.incoming = {videoIn(1, kCamera, kCameraRtx)};
    publisher = &world.add(p);
    for (size_t i = 0; i < receivers; ++i) {
      SessionSpec s = sessionSpec(10 + i);
      s.outgoing = {videoOut(1, kOut, kOutRtx)};
      subscribers.push_back(&world.add(s));
    }
    publisher->connect();
    for (Client* s : subscribers) s->connect();
    world.run(2 * kSecondUs);
    REQUIRE(publisher->peer->connected());
    for (Client* s : subscribers) REQUIRE(s->peer->connected());
  }
  void frame(bool key, size_t packets = 3) {
    publisher->send(vp8Frame(kCamera, seq, timestamp, key, packets));
    seq = static_cast<uint16_t>(seq + packets);
    timestamp += 3'000;
    world.run(33'333);
  }

  World world;
  Client* publisher = nullptr;
  std::vector<Client*> subscribers;
  uint16_t seq = 65'530;
  uint32_t timestamp = 0xFFFF'0000;
};

}  // namespace

TEST_CASE("media: a subscriber gets a publisher's video from the first key frame on, renumbered without gaps") {
  Call call;
  call.frame(false);
  CHECK(call.subscribers[0]->packets.empty());
  call.frame(true);
  for (int i = 0; i < 20; ++i) call.frame(false);
  const auto got = call.subscribers[0]->of(kOut);
  REQUIRE(got.size() == 63);
  for (size_t i = 0; i < got.size(); ++i) {
    CHECK(got[i].payloadType == 106);
    CHECK(got[i].seq == static_cast<uint16_t>(got[0].seq + i));
    CHECK(got[i].timestamp == got[0].timestamp + static_cast<uint32_t>(i / 3) * 3'000);
    CHECK(got[i].marker == (i % 3 == 2));
    CHECK(got[i].payload[4] == static_cast<uint8_t>(65'530 + 3 + i));
  }
  CHECK(call.world.total(DropReason::kWaitingForKeyFrame) == 3);
}

TEST_CASE("media: a frame crosses the network in one burst per subscriber") {
  Call call(3);
  call.frame(true);
  call.world.keepBursts = true;
  call.frame(false, 4);
  std::map<uint8_t, size_t> bursts;
  for (const World::Burst& b : call.world.bursts) {
    if (b.segments.size() < 2) continue;  // reports
    ++bursts[b.to.ip[3]];
    CHECK(b.segments.size() == 4);
  }
  CHECK(bursts.size() == 3);
  for (const auto& [to, count] : bursts) CHECK(count == 1);
}

TEST_CASE("media: what a subscriber lost comes again on its retransmission stream, byte for byte") {
  Call call;
  call.frame(true);
  int count = 0;
  call.world.loses = [&](Bytes d, const Address& client, bool toServer) {
    return !toServer && client == call.subscribers[0]->address && wire::classify(d) == wire::DatagramClass::kRtp &&
           ++count == 2;
  };
  call.frame(false);
  call.world.loses = nullptr;
  auto got = call.subscribers[0]->of(kOut);
  REQUIRE(got.size() == 5);
  const auto missing = static_cast<uint16_t>(got[3].seq + 1);
  CHECK(got[4].seq == static_cast<uint16_t>(got[3].seq + 2));
  call.subscribers[0]->sendRtcp([&](wire::RtcpWriter& w) { w.nack(1, kOut, std::array{missing}); });
  call.world.settle();
  const auto repair = call.subscribers[0]->of(kOutRtx);
  REQUIRE(repair.size() == 1);
  CHECK(repair[0].payloadType == 107);
  CHECK(readU16(repair[0].payload.data()) == missing);
  CHECK(repair[0].timestamp == got[3].timestamp);
  const test::Datagram payload(repair[0].payload.begin() + 2, repair[0].payload.end());
  CHECK(payload == vp8Frame(kCamera, static_cast<uint16_t>(65'530 + 3), 0, false)[1].payload);
  CHECK(call.world.total(Counter::kResentOut) == 1);
}

TEST_CASE("media: without a retransmission stream a lost packet comes again as it was, to the last bit") {
  World world;
  SessionSpec p = sessionSpec(1);
  p.incoming = {audioIn(1, kCamera)};
  SessionSpec s = sessionSpec(2);
  s.outgoing = {audioOut(1, kOut)};
  Client& publisher = world.add(p);
  Client& subscriber = world.add(s);
  world.connect({&publisher, &subscriber});
  std::vector<test::Datagram> sealed;
  world.loses = [&](Bytes d, const Address& client, bool toServer) {
    if (toServer || client != subscriber.address || wire::classify(d) != wire::DatagramClass::kRtp) return false;
    sealed.emplace_back(d.begin(), d.end());
    return sealed.size() == 2;
  };
  for (uint16_t i = 0; i < 5; ++i) {
    publisher.send(opus(kCamera, i, i * 960U));
    world.run(20'000);
  }
  REQUIRE(subscriber.packets.size() == 4);
  const auto missing = static_cast<uint16_t>(subscriber.packets[0].seq + 1);
  subscriber.sendRtcp([&](wire::RtcpWriter& w) { w.nack(1, kOut, std::array{missing}); });
  world.settle();
  REQUIRE(subscriber.packets.size() == 5);
  CHECK(subscriber.packets[4].seq == missing);
  REQUIRE(sealed.size() == 6);
  CHECK(sealed[5] == sealed[1]);
}

TEST_CASE("media: what a publisher's path lost is asked for, and reaches subscribers in its place") {
  Call call;
  call.frame(true);
  auto frame = vp8Frame(kCamera, call.seq, call.timestamp, false, 5);
  const Rtp lost = frame[2];
  frame.erase(frame.begin() + 2);
  call.publisher->send(frame);
  call.world.settle();
  REQUIRE(call.publisher->nacked.size() == 1);
  CHECK(call.publisher->nacked[0] == std::pair{kCamera, lost.seq});
  Rtp repair = lost;
  repair.payloadType = 97;
  repair.ssrc = kCameraRtx;
  repair.seq = 1;
  repair.payload.insert(repair.payload.begin(), {static_cast<uint8_t>(lost.seq >> 8), static_cast<uint8_t>(lost.seq)});
  call.publisher->send(repair);
  call.world.settle();
  const auto got = call.subscribers[0]->of(kOut);
  REQUIRE(got.size() == 8);
  CHECK(got[7].payload == lost.payload);
  CHECK(got[7].seq == static_cast<uint16_t>(got[0].seq + 5));
  CHECK(got[7].timestamp == got[3].timestamp);
  call.world.run(kSecondUs);
  CHECK(call.publisher->nacked.size() == 1);
  CHECK(call.world.total(Counter::kRecoveredIn) == 1);
}

TEST_CASE(
    "media: key frames are asked of the publisher seldom, ever later while none comes, however many subscribers ask") {
  Call call(4);
  call.frame(true);
  call.world.run(kSecondUs);
  call.publisher->plis.clear();
  for (int i = 0; i < 19; ++i) {
    for (Client* s : call.subscribers) s->sendRtcp([](wire::RtcpWriter& w) { w.pli(1, kOut); });
    call.subscribers[0]->sendRtcp([](wire::RtcpWriter& w) { w.fir(1, kOut, 1); });
    call.world.run(50 * kMillisecondUs);
  }
  CHECK(call.publisher->plis.size() == 3);
  CHECK(call.publisher->plis[0] == kCamera);
  call.frame(true);
  call.world.run(5 * kSecondUs);
  CHECK(call.publisher->plis.size() == 3);
  CHECK(call.world.snapshot(SessionKey{10})->outgoing[0].plis == 38);
}

TEST_CASE("media: a subscriber that joins later gets its key frame asked for, and starts with it") {
  Call call;
  call.frame(true);
  for (int i = 0; i < 30; ++i) call.frame(false);
  call.publisher->plis.clear();
  SessionSpec s = sessionSpec(20);
  s.outgoing = {videoOut(1, kOut)};
  Client& late = call.world.add(s);
  late.connect();
  call.world.run(500 * kMillisecondUs);
  REQUIRE(late.peer->connected());
  CHECK_FALSE(call.publisher->plis.empty());
  call.frame(false);
  CHECK(late.packets.empty());
  call.frame(true);
  REQUIRE(late.packets.size() == 3);
  CHECK(late.packets[0].payload[1] == 0);
}

TEST_CASE("media: sender reports keep the publisher's time line, and tell one name for all its tracks") {
  World world;
  SessionSpec p = sessionSpec(1);
  p.incoming = {videoIn(1, kCamera), audioIn(2, 500)};
  SessionSpec s = sessionSpec(2);
  s.outgoing = {videoOut(1, kOut), audioOut(2, 600)};
  Client& publisher = world.add(p);
  Client& subscriber = world.add(s);
  world.connect({&publisher, &subscriber});
  const uint64_t ntp = 0xE000'0000'0000'0000;
  publisher.send(vp8Frame(kCamera, 1, 900'000, true, 1));
  publisher.send(opus(500, 1, 480'000));
  publisher.sendRtcp([&](wire::RtcpWriter& w) {
    w.senderReport({kCamera, ntp, 900'000, 1, 1}, {});
    w.senderReport({500, ntp, 480'000, 1, 1}, {});
  });
  const TimeUs at = world.now;
  world.run(1'500 * kMillisecondUs);
  REQUIRE(subscriber.senderReports.size() == 2);
  for (const wire::SenderInfo& info : subscriber.senderReports) {
    const double seconds = static_cast<double>(info.ntp - ntp) / 4'294'967'296.0;
    CHECK(seconds > 0);
    CHECK(seconds <= static_cast<double>(world.now - at) / 1e6);
    const bool video = info.ssrc == kOut;
    const Rtp first = subscriber.of(video ? kOut : 600)[0];
    const double ticks = static_cast<double>(info.rtpTimestamp - first.timestamp);
    CHECK(ticks == doctest::Approx(seconds * (video ? 90'000 : 48'000)).epsilon(0.001));
    CHECK(info.packets == 1);
  }
  REQUIRE(subscriber.names.size() == 2);
  CHECK(subscriber.names[0] == subscriber.names[1]);

  // The answer measures the round trip.
  const wire::SenderInfo info = subscriber.senderReports.back();
  subscriber.sendRtcp([&](wire::RtcpWriter& w) {
    wire::ReportBlock block;
    block.ssrc = info.ssrc;
    block.fractionLost = 64;
    block.lastSenderReport = wire::compactNtp(info.ntp);
    w.receiverReport(1, std::array{block});
  });
  world.settle();
  const auto snapshot = world.snapshot(SessionKey{2});
  REQUIRE(snapshot);
  CHECK(snapshot->rttMs > 0);
  const auto& out = snapshot->outgoing;
  CHECK(std::any_of(out.begin(), out.end(), [](const auto& o) { return o.fractionLost == 0.25; }));
}

TEST_CASE("media: the MID goes with packets until the subscriber reports on them") {
  Call call;
  call.frame(true);
  REQUIRE(call.subscribers[0]->packets[0].extension(kMidId) != nullptr);
  CHECK(*call.subscribers[0]->packets[0].extension(kMidId) == test::Datagram{'r', '1'});
  call.subscribers[0]->sendRtcp([](wire::RtcpWriter& w) {
    wire::ReportBlock block;
    block.ssrc = kOut;
    w.receiverReport(1, std::array{block});
  });
  call.world.settle();
  call.frame(false);
  CHECK(call.subscribers[0]->packets.back().extension(kMidId) == nullptr);
  CHECK(call.subscribers[0]->packets.back().extension(kTransportCcId) != nullptr);
}

TEST_CASE("media: extensions that both ends know pass, under each one's own id") {
  World world;
  SessionSpec p = sessionSpec(1);
  p.incoming = {videoIn(1, kCamera)};
  SessionSpec s = sessionSpec(2);
  s.extensions = {};
  s.extensions.set(wire::ExtensionKind::kDependencyDescriptor, 30);
  s.outgoing = {videoOut(1, kOut)};
  Client& publisher = world.add(p);
  Client& subscriber = world.add(s);
  world.connect({&publisher, &subscriber});
  auto frame = vp8Frame(kCamera, 1, 0, true, 1);
  frame[0].extensions = {{kDescriptorId, {1, 2, 3}}, {kOrientationId, {1}}, {kMidId, {'v', '1'}}};
  publisher.send(frame);
  world.settle();
  REQUIRE(subscriber.packets.size() == 1);
  REQUIRE(subscriber.packets[0].extensions.size() == 1);
  CHECK(*subscriber.packets[0].extension(30) == test::Datagram{1, 2, 3});
}

TEST_CASE("media: transport-wide feedback tells the publisher when each packet came") {
  Call call;
  call.world.delayUs = 10 * kMillisecondUs;
  uint16_t number = 65'500;
  for (int i = 0; i < 30; ++i) {
    auto frame = vp8Frame(kCamera, call.seq, call.timestamp, i == 0);
    for (Rtp& packet : frame) {
      packet.extensions = {{kTransportCcId, {static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)}}};
      ++number;
    }
    call.seq = static_cast<uint16_t>(call.seq + 3);
    call.timestamp += 3'000;
    call.publisher->send(frame);
    call.world.run(33'333);
  }
  call.world.run(200 * kMillisecondUs);
  REQUIRE(call.publisher->transportFeedback.size() == 90);
  uint16_t expected = 65'500;
  int64_t last = -1;
  for (const auto& status : call.publisher->transportFeedback) {
    CHECK(status.seq == expected++);
    CHECK(status.arrivalTicks >= last);
    last = status.arrivalTicks;
  }
  CHECK(call.world.total(Counter::kTransportFeedbackOut) <= 12);
}

TEST_CASE("media: the publisher is told what arrived") {
  Call call;
  call.publisher->sendRtcp([](wire::RtcpWriter& w) { w.senderReport({kCamera, 0x1122'3344'5566'7788, 0, 0, 0}, {}); });
  for (int i = 0; i < 60; ++i) call.frame(i == 0);
  REQUIRE_FALSE(call.publisher->reports.empty());
  const wire::ReportBlock& block = call.publisher->reports.back();
  CHECK(block.ssrc == kCamera);
  CHECK(block.lost == 0);
  const auto snapshot = call.world.snapshot(SessionKey{1});
  REQUIRE(snapshot);
  REQUIRE(snapshot->incoming.size() == 1);
  CHECK(snapshot->incoming[0].packets == 180);
  CHECK(snapshot->incoming[0].keyFrames == 1);
  CHECK(snapshot->incoming[0].codec == Codec::kVp8);
}

TEST_CASE("media: a paused subscription sends nothing, and continues without a gap at a key frame") {
  Call call;
  call.frame(true);
  call.frame(false);
  Client& s = *call.subscribers[0];
  s.spec.outgoing[0].paused = true;
  call.world.update(s);
  for (int i = 0; i < 30; ++i) call.frame(false);
  CHECK(s.packets.size() == 6);
  CHECK(call.world.total(DropReason::kPaused) == 90);
  call.publisher->plis.clear();
  s.spec.outgoing[0].paused = false;
  call.world.update(s);
  call.world.settle();
  CHECK(call.publisher->plis.size() == 1);
  call.frame(true);
  REQUIRE(s.packets.size() == 9);
  CHECK(s.packets[6].seq == static_cast<uint16_t>(s.packets[5].seq + 1));
  CHECK(s.packets[6].timestamp == s.packets[5].timestamp + 31 * 3'000);
}

TEST_CASE("media: a publisher that comes back under another SSRC goes on in the same stream") {
  Call call;
  call.frame(true);
  for (int i = 0; i < 5; ++i) call.frame(false);
  auto frame = vp8Frame(9'999, 100, 77, true);
  for (Rtp& p : frame) p.extensions = {{kMidId, {'v', '1'}}};
  call.publisher->send(frame);
  call.world.settle();
  const auto got = call.subscribers[0]->of(kOut);
  REQUIRE(got.size() == 21);
  for (size_t i = 1; i < got.size(); ++i) CHECK(got[i].seq == static_cast<uint16_t>(got[i - 1].seq + 1));
  const auto step = static_cast<int32_t>(got[18].timestamp - got[17].timestamp);
  CHECK(step > 0);
  CHECK(step < 9'000);
}

TEST_CASE("media: of a simulcast track the highest encoding alive is forwarded, in one continuous stream") {
  World world;
  SessionSpec p = sessionSpec(1);
  IncomingTrackSpec t = videoIn(1, 0);
  t.streams = {{{}, {}, "q"}, {{}, {}, "h"}, {{}, {}, "f"}};
  p.incoming = {t};
  SessionSpec s = sessionSpec(2);
  s.outgoing = {videoOut(1, kOut)};
  Client& publisher = world.add(p);
  Client& subscriber = world.add(s);
  world.connect({&publisher, &subscriber});
  std::array<uint16_t, 3> seqs{10, 20'000, 65'500};
  const auto frame = [&](size_t encodings) {
    for (size_t e = 0; e < encodings; ++e) {
      const bool key = !publisher.plis.empty() && publisher.plis.back() == 100 + e;
      auto packets = vp8Frame(static_cast<Ssrc>(100 + e), seqs[e], static_cast<uint32_t>(world.now * 9 / 100), key, 2);
      for (Rtp& packet : packets) {
        packet.extensions = {{kMidId, {'v', '1'}}, {kRidId, {static_cast<uint8_t>("qhf"[e])}}};
        packet.payload[5] = static_cast<uint8_t>(e);
      }
      seqs[e] = static_cast<uint16_t>(seqs[e] + 2);
      publisher.send(packets);
    }
    world.run(33'333);
  };
  const auto shown = [&] { return subscriber.packets.empty() ? 255 : int{subscriber.packets.back().payload[5]}; };
  for (int i = 0; i < 30; ++i) frame(1);
  CHECK(shown() == 0);
  for (int i = 0; i < 60; ++i) frame(3);
  CHECK(shown() == 2);
  for (int i = 0; i < 60; ++i) frame(2);
  CHECK(shown() == 1);
  for (int i = 0; i < 60; ++i) frame(3);
  CHECK(shown() == 2);
  for (size_t i = 1; i < subscriber.packets.size(); ++i) {
    REQUIRE(subscriber.packets[i].seq == static_cast<uint16_t>(subscriber.packets[i - 1].seq + 1));
    const auto step = static_cast<int32_t>(subscriber.packets[i].timestamp - subscriber.packets[i - 1].timestamp);
    REQUIRE(step >= 0);
    REQUIRE(step < 90'000);
  }
  CHECK(world.events<TrackStarted>().size() == 1);
}

TEST_CASE("media: a subscriber without the packet's format is sent nothing") {
  Call call;
  call.subscribers[0]->spec.outgoing[0].codecs[0].codec = Codec::kVp9;
  call.world.update(*call.subscribers[0]);
  call.frame(true);
  CHECK(call.subscribers[0]->packets.empty());
  CHECK(call.world.total(DropReason::kNoCommonFormat) == 3);
}

TEST_CASE("media: redundant audio goes whole to who takes it, its newest frame alone to who does not (RFC 2198)") {
  World world;
  SessionSpec p = sessionSpec(1);
  p.incoming = {audioIn(1, 500)};
  p.incoming[0].codecs.push_back({63, Codec::kRed, 48'000, {}, ""});
  SessionSpec whole = sessionSpec(2);
  whole.outgoing = {audioOut(1, 600)};
  whole.outgoing[0].codecs.push_back({64, Codec::kRed, 48'000, {}, ""});
  SessionSpec plain = sessionSpec(3);
  plain.outgoing = {audioOut(1, 600)};
  Client& publisher = world.add(p);
  Client& taker = world.add(whole);
  Client& other = world.add(plain);
  world.connect({&publisher, &taker, &other});
  Rtp red = opus(500, 1, 960);
  red.payloadType = 63;
  // One redundant block of three octets, 960 ticks old, then the primary.
  red.payload = {0x80 | 111, 0x0F, 0x00, 0x03, 111, 'o', 'l', 'd', 'n', 'e', 'w'};
  publisher.send(red);
  red.seq = 2;
  red.payload = {0x80 | 111, 0x0F, 0x03, 0xFF, 111, 'x'};  // says more than it has
  publisher.send(red);
  publisher.send(opus(500, 3, 2'880));
  world.settle();
  REQUIRE(taker.packets.size() == 3);
  CHECK(taker.packets[0].payloadType == 64);
  CHECK(taker.packets[0].payload.size() == 11);
  REQUIRE(other.packets.size() == 2);
  CHECK(other.packets[0].payloadType == 109);
  CHECK(other.packets[0].payload == test::Datagram{'n', 'e', 'w'});
  const uint16_t again = other.packets[0].seq;
  other.sendRtcp([again](wire::RtcpWriter& w) { w.nack(1, 600, std::array{again}); });
  world.settle();
  CHECK(world.total(Counter::kResentOut) == 1);
}

TEST_CASE("media: who speaks is told when it changes, and no more") {
  World world;
  SessionSpec p = sessionSpec(1);
  p.incoming = {audioIn(1, 500)};
  Client& publisher = world.add(p);
  world.connect({&publisher});
  uint16_t seq = 0;
  const auto speak = [&](uint8_t level, int packets) {
    for (int i = 0; i < packets; ++i, ++seq) {
      Rtp packet = opus(500, seq, seq * 960U);
      packet.extensions = {{kAudioLevelId, {level}}};
      publisher.send(packet);
      world.run(20 * kMillisecondUs);
    }
  };
  speak(0x80 | 20, 200);
  auto told = world.events<AudioActivity>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].active);
  CHECK(told[0].level == 0.125F);
  CHECK(told[0].track == TrackKey{1});
  world.run(10 * kSecondUs);  // and not a word more
  told = world.events<AudioActivity>();
  REQUIRE(told.size() == 2);
  CHECK_FALSE(told[1].active);
  CHECK(world.snapshot(SessionKey{1})->incoming[0].audioActive == false);
}

TEST_CASE("media: subscribers on another shard get each packet across once, and theirs is the same service") {
  Call call(4, 2);  // the second and the fourth sit with the publisher
  REQUIRE(call.world.shard(0).sessions() == 3);
  REQUIRE(call.world.shard(1).sessions() == 2);
  call.frame(false);
  CHECK_FALSE(call.publisher->plis.empty());
  call.publisher->sendRtcp([](wire::RtcpWriter& w) { w.senderReport({kCamera, 5, 0, 0, 0}, {}); });
  call.frame(true);
  const uint64_t before = call.world.total(Counter::kPostedPackets);
  for (int i = 0; i < 40; ++i) call.frame(false);
  CHECK(call.world.total(Counter::kPostedPackets) - before == 120);
  for (Client* s : call.subscribers) {
    const auto got = s->of(kOut);
    REQUIRE(got.size() == 123);
    for (size_t i = 1; i < got.size(); ++i) CHECK(got[i].seq == static_cast<uint16_t>(got[i - 1].seq + 1));
    CHECK_FALSE(s->senderReports.empty());
    const uint16_t again = got[120].seq;
    s->sendRtcp([&](wire::RtcpWriter& w) { w.nack(1, kOut, std::array{again}); });
  }
  call.world.settle();
  for (Client* s : call.subscribers) CHECK(s->of(kOutRtx).size() == 1);

  // The last one of a shard leaves: nothing crosses any more.
  call.world.drop(SessionKey{10});
  call.world.drop(SessionKey{12});
  call.world.settle();
  const uint64_t after = call.world.total(Counter::kPostedPackets);
  call.frame(false);
  CHECK(call.world.total(Counter::kPostedPackets) == after);
}

TEST_CASE("media: a key frame wanted on another shard is asked of the publisher") {
  Call call(1, 2);
  call.frame(true);
  call.world.run(kSecondUs);
  call.publisher->plis.clear();
  call.subscribers[0]->sendRtcp([](wire::RtcpWriter& w) { w.pli(1, kOut); });
  call.world.settle();
  CHECK(call.publisher->plis.size() == 1);
}

TEST_CASE("media: an interest that found a full queue is heard later") {
  Call call(1, 2);
  call.frame(true);
  REQUIRE(call.subscribers[0]->packets.size() == 3);
  call.world.mailboxLimit = 0;
  SessionSpec p = sessionSpec(2);
  p.incoming = {videoIn(5, 900)};
  Client& other = call.world.add(p);  // on the first shard
  call.subscribers[0]->spec.outgoing.push_back(videoOut(5, 950));
  call.world.update(*call.subscribers[0]);
  other.address = addressOf(4, 5'000);
  call.world.connect({&other});
  other.send(vp8Frame(900, 1, 0, true));
  call.world.settle();
  CHECK(call.subscribers[0]->of(950).empty());
  call.world.mailboxLimit = 1'000;
  call.world.run(20 * kMillisecondUs);
  other.send(vp8Frame(900, 4, 3'000, true));
  call.world.settle();
  CHECK(call.subscribers[0]->of(950).size() == 3);
}

TEST_CASE("media: one subscription more disturbs none of the others") {
  Call call;
  SessionSpec p = sessionSpec(3);
  p.incoming = {audioIn(7, 700)};
  Client& other = call.world.add(p);
  call.world.connect({&other});
  call.frame(true);
  Client& s = *call.subscribers[0];
  for (int i = 0; i < 10; ++i) {
    s.spec.outgoing.push_back(audioOut(7, static_cast<Ssrc>(3'000 + i)));
    call.world.update(s);
    call.frame(false);
    s.spec.outgoing.pop_back();
    call.world.update(s);
    call.frame(false);
  }
  const auto got = s.of(kOut);
  REQUIRE(got.size() == 63);
  for (size_t i = 1; i < got.size(); ++i) CHECK(got[i].seq == static_cast<uint16_t>(got[i - 1].seq + 1));
}

TEST_CASE("media: a stream that is subscribed again under its SSRC never repeats a number") {
  Call call;
  Client& s = *call.subscribers[0];
  const OutgoingTrackSpec out = s.spec.outgoing[0];
  for (int round = 0; round < 20; ++round) {
    call.frame(true);
    s.spec.outgoing = {};
    call.world.update(s);
    s.spec.outgoing = {out};
    call.world.update(s);
  }
  const auto got = s.of(kOut);
  REQUIRE(got.size() == 60);  // the client's replay window let all of them through
  for (size_t i = 1; i < got.size(); ++i) CHECK(got[i].seq == static_cast<uint16_t>(got[i - 1].seq + 1));
}

TEST_CASE("media: a spec whose retransmissions collide with media never seals a number twice") {
  Call call;
  Client& s = *call.subscribers[0];
  s.spec.outgoing[0].rtxSsrc = kOut;  // its own
  s.spec.outgoing.push_back(videoOut(1, 4'000, kOut));
  call.world.update(s);
  call.frame(true);
  for (Ssrc ssrc : {kOut, Ssrc{4'000}}) {
    const auto got = s.of(ssrc);
    REQUIRE(got.size() == 3);
    const uint16_t again = got[1].seq;
    s.sendRtcp([&](wire::RtcpWriter& w) { w.nack(1, ssrc, std::array{again}); });
  }
  call.world.settle();
  // What came again came as it was: the client's replay window kept it out.
  CHECK(call.world.total(Counter::kResentOut) == 2);
  CHECK(s.of(kOut).size() == 3);
  CHECK(s.of(4'000).size() == 3);
}

TEST_CASE("media: another track under the same SSRC continues it") {
  Call call;
  SessionSpec p = sessionSpec(3);
  p.incoming = {videoIn(2, kCamera)};  // the same SSRC even at the source
  Client& other = call.world.add(p);
  call.world.connect({&other});
  call.frame(true);
  Client& s = *call.subscribers[0];
  s.spec.outgoing[0].track = TrackKey{2};
  call.world.update(s);
  call.world.settle();
  other.send(vp8Frame(kCamera, 5, 0, false));
  call.world.settle();
  CHECK(s.of(kOut).size() == 3);
  other.send(vp8Frame(kCamera, 8, 3'000, true));
  call.frame(false);  // of the first publisher: not subscribed any more
  const auto got = s.of(kOut);
  REQUIRE(got.size() == 6);
  CHECK(got[3].seq == static_cast<uint16_t>(got[2].seq + 1));
}

TEST_CASE("media: packets of a subscriber that was let in late are there when it asks for them") {
  // The key frame's first packet was lost on the way from the publisher and came by retransmission, after the rest.
  Call call;
  auto frame = vp8Frame(kCamera, 100, 0, true, 4);
  call.publisher->send(vp8Frame(kCamera, 99, 0, false, 1));
  const Rtp first = frame[0];
  frame.erase(frame.begin());
  call.publisher->send(frame);
  call.world.settle();
  CHECK(call.subscribers[0]->packets.empty());
  Rtp repair = first;
  repair.payloadType = 97;
  repair.ssrc = kCameraRtx;
  repair.seq = 1;
  repair.payload.insert(repair.payload.begin(), {0, 100});
  call.publisher->send(repair);
  call.publisher->send(vp8Frame(kCamera, 104, 3'000, false, 1));
  call.world.settle();
  const auto got = call.subscribers[0]->of(kOut);
  REQUIRE(got.size() == 2);
  REQUIRE(got[1].seq == static_cast<uint16_t>(got[0].seq + 4));
  call.subscribers[0]->sendRtcp([&](wire::RtcpWriter& w) {
    const std::array<uint16_t, 3> lost{static_cast<uint16_t>(got[0].seq + 1), static_cast<uint16_t>(got[0].seq + 2),
                                       static_cast<uint16_t>(got[0].seq + 3)};
    w.nack(1, kOut, lost);
  });
  call.world.settle();
  CHECK(call.subscribers[0]->of(kOutRtx).size() == 3);
}
