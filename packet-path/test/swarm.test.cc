// Clients on threads against a whole packet path, over loopback; and the bad network that may stand before them.
#include "swarm/swarm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "io/address.h"
#include "io/engine.h"

using namespace sluice;

namespace {

constexpr Ssrc kVideo = 1'000;

dtls::IdentityPem makeIdentity() {
  auto pem = dtls::generateIdentity(0, 36'500);
  REQUIRE(pem);
  return *pem;
}

Fingerprint fingerprintOf(const dtls::IdentityPem& identity) {
  const auto context = dtls::Context::create(identity.certificate, identity.privateKey);
  REQUIRE(context != nullptr);
  return context->fingerprint("sha-256").value_or(Fingerprint{});
}

IceCredentials credentials(const std::string& name) {
  return {name, "password-of-22-letters-" + name};
}

/// One publisher and some subscribers of a packet path with two shards.
struct Call {
  Call() {
    io::EngineConfig config;
    config.bind = {*io::parseAddress("127.0.0.1", 0)};
    config.shards = 2;
    config.shard.identity = {serverIdentity.certificate, serverIdentity.privateKey};
    auto opened = io::Engine::open(config, [] {});
    REQUIRE(std::holds_alternative<std::unique_ptr<io::Engine>>(opened));
    engine = std::move(std::get<std::unique_ptr<io::Engine>>(opened));
    swarm = swarm::Swarm::open({2, clientIdentity, 1}, [this] { ++notified; });
    REQUIRE(swarm != nullptr);
  }

  CodecSpec vp8() const { return {96, Codec::kVp8, 90'000, 97, {}}; }

  swarm::ClientId join(SessionSpec spec, const std::string& name, const peer::Conditions& network = {}) {
    spec.session = static_cast<SessionKey>(++sessions);
    spec.participant = static_cast<ParticipantKey>(sessions);
    spec.epoch = spec.generation = 1;
    spec.localCredentials = {credentials("server-" + name)};
    spec.remoteCredentials = credentials(name);
    spec.remoteFingerprints = {fingerprintOf(clientIdentity)};
    REQUIRE(engine->apply(std::make_shared<const SessionSpec>(std::move(spec))));
    swarm::ClientConfig client;
    client.peer.server = *io::parseAddress("127.0.0.1", engine->boundTo()[0].port);
    client.peer.ice.local = credentials(name);
    client.peer.ice.remote = credentials("server-" + name);
    client.peer.remoteFingerprints = {fingerprintOf(serverIdentity)};
    client.up = client.down = network;
    const auto id = swarm->add(client);
    REQUIRE(id);
    return *id;
  }

  swarm::ClientId publish() {
    SessionSpec spec;
    IncomingTrackSpec track;
    track.track = TrackKey{1};
    track.kind = MediaKind::kVideo;
    track.codecs = {vp8()};
    track.streams = {{kVideo, kVideo + 1, {}}};
    track.nack = true;
    spec.incoming = {track};
    const auto id = join(spec, "publisher");
    peer::MediaSpec media;
    peer::VideoSourceSpec camera;
    camera.payloadType = 96;
    camera.rtxPayloadType = 97;
    peer::EncodingSpec encoding;
    encoding.ssrc = kVideo;
    encoding.rtxSsrc = kVideo + 1;
    encoding.maxBitsPerSecond = 1'000'000;
    encoding.width = 640;
    encoding.height = 360;
    camera.encodings = {encoding};
    media.video = {camera};
    swarm->apply(id, media);
    return id;
  }

  swarm::ClientId subscribe(const std::string& name, const peer::Conditions& network = {}) {
    const auto ssrc = static_cast<Ssrc>(10'000 + 2 * sessions);
    SessionSpec spec;
    OutgoingTrackSpec track;
    track.track = TrackKey{1};
    track.kind = MediaKind::kVideo;
    track.ssrc = ssrc;
    track.rtxSsrc = ssrc + 1;
    track.codecs = {vp8()};
    spec.outgoing = {track};
    const auto id = join(spec, name, network);
    peer::MediaSpec media;
    peer::SinkSpec sink;
    sink.ssrc = ssrc;
    sink.rtxSsrc = ssrc + 1;
    sink.kind = MediaKind::kVideo;
    sink.codecs = {vp8()};
    sink.nack = true;
    media.sinks = {sink};
    swarm->apply(id, media);
    return id;
  }

  struct Seen {
    uint64_t frames = 0;
    uint64_t broken = 0;
    uint64_t recovered = 0;
    uint64_t impaired = 0;
    TimeUs delayP50Us = 0;
  };
  Seen seen(swarm::ClientId id) {
    Seen out;
    swarm->report(id, [&out](const swarm::ClientReport& report) {
      REQUIRE(report.media.received.size() == 1);
      const auto& stream = report.media.received.front();
      out = {stream.frames.framesDecoded, stream.frames.brokenReferences, stream.recovered, report.impaired,
             stream.delays->quantile(0.5)};
    });
    return out;
  }

  template <typename Condition>
  static bool within(int seconds, const Condition& isSo) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
    while (!isSo()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  dtls::IdentityPem serverIdentity = makeIdentity();
  dtls::IdentityPem clientIdentity = makeIdentity();
  std::atomic<int> notified{0};
  uint64_t sessions = 0;
  std::unique_ptr<io::Engine> engine;
  std::unique_ptr<swarm::Swarm> swarm;  // last: its threads notify until it ends
};

}  // namespace

TEST_CASE("swarm: what one client publishes the others see, each on the thread it came to") {
  Call call;
  call.publish();
  std::vector<swarm::ClientId> subscribers;
  for (int i = 0; i < 8; ++i) subscribers.push_back(call.subscribe("s" + std::to_string(i)));
  CHECK(call.within(10, [&] {
    return std::ranges::all_of(subscribers, [&](swarm::ClientId id) { return call.seen(id).frames >= 20; });
  }));
  for (const swarm::ClientId id : subscribers) CHECK(call.seen(id).broken == 0);
  CHECK(call.notified > 0);
  size_t connected = 0;
  for (const auto& event : call.swarm->take().events) {
    if (std::holds_alternative<peer::Connected>(event.what)) ++connected;
  }
  CHECK(connected == 9);
  size_t clients = 0;
  for (const auto& thread : call.swarm->threads()) clients += thread.clients;
  CHECK(clients == 9);

  const swarm::Totals totals = call.swarm->totals();
  CHECK(totals.video.streams == 8);
  CHECK(totals.video.packets >= 8 * 20);
  CHECK(totals.video.delays.total() >= 8 * 20);
  CHECK(totals.videoSent * 8 >= totals.video.packets);
  CHECK(totals.audio.streams == 0);

  // Gone, it is asked nothing and tells nothing.
  call.swarm->remove(subscribers.front(), true);
  bool asked = false;
  call.swarm->report(subscribers.front(), [&asked](const swarm::ClientReport&) { asked = true; });
  CHECK_FALSE(asked);
}

TEST_CASE("swarm: a bad network before one client is that client's alone, and repair works through it") {
  Call call;
  call.publish();
  peer::Conditions bad;
  bad.loss = 0.1;
  bad.delayUs = 30 * kMillisecondUs;
  bad.jitterUs = 5 * kMillisecondUs;
  const auto far = call.subscribe("far", bad);
  const auto near = call.subscribe("near");
  CHECK(call.within(20, [&] { return call.seen(far).frames >= 60 && call.seen(far).recovered >= 3; }));
  CHECK(call.seen(far).impaired > 0);
  CHECK(call.seen(near).impaired == 0);
  CHECK(call.seen(far).delayP50Us >= 30 * kMillisecondUs);
  CHECK(call.seen(near).delayP50Us < 30 * kMillisecondUs);
}

TEST_CASE("impairment: nothing named, nothing done") {
  peer::Impairment none({}, 1);
  CHECK(none.perfect());
  for (TimeUs at = 0; at < 100; ++at) CHECK(none.pass(1'200, at) == at);
}

TEST_CASE("impairment: loses its share, and never makes one datagram overtake another") {
  peer::Conditions conditions;
  conditions.loss = 0.2;
  conditions.delayUs = 10'000;
  conditions.jitterUs = 5'000;
  peer::Impairment impairment(conditions, 1);
  int arrived = 0;
  TimeUs last = 0;
  for (TimeUs at = 0; at < 20'000'000; at += 1'000) {
    const auto arrival = impairment.pass(1'200, at);
    if (!arrival) continue;
    ++arrived;
    CHECK(*arrival >= last);
    CHECK(*arrival >= at + conditions.delayUs);
    last = *arrival;
  }
  CHECK(arrived > 15'500);
  CHECK(arrived < 16'500);
}

TEST_CASE("impairment: the bottleneck spaces datagrams, and drops what would wait longer than its queue") {
  peer::Conditions conditions;
  conditions.bitsPerSecond = 1'000'000;
  peer::Impairment impairment(conditions, 1);
  // 1222 bytes and headers are 10 ms at this rate.
  CHECK(impairment.pass(1'222, 0) == 10'000);
  CHECK(impairment.pass(1'222, 0) == 20'000);
  int arrived = 2;
  while (impairment.pass(1'222, 0)) ++arrived;
  CHECK(arrived == 21);
  CHECK(impairment.pass(1'222, 500'000) == 510'000);
}
