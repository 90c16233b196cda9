// The client's end against a server's end made of the same parts, over a network on virtual time.
#include "peer/peer.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/ice/lite_agent.h"
#include "core/wire/demux.h"

using namespace sluice;

namespace {

using Datagram = std::vector<uint8_t>;

const IceCredentials kServerCredentials{"server", "the server's password ..."};
const IceCredentials kClientCredentials{"client", "the client's password ..."};

Address addressOf(uint8_t last, uint16_t port) {
  Address a;
  a.family = 4;
  a.ip[0] = 127;
  a.ip[3] = last;
  a.port = port;
  return a;
}

const Address kServerAddress = addressOf(1, 7'882);

struct Collector final : DatagramSink {
  struct Burst {
    Address to;
    size_t segments;
  };
  MutableBytes reserve(size_t bytes) override {
    if (bytes > kMaxBurstBytes) return {};
    slab.resize(bytes);
    return slab;
  }
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override {
    bursts.push_back({to, (bytes + segmentBytes - 1) / segmentBytes});
    for (size_t at = 0; at < bytes; at += segmentBytes) {
      const auto begin = slab.begin() + static_cast<std::ptrdiff_t>(at);
      datagrams.push_back(
          {to, Datagram(begin, begin + static_cast<std::ptrdiff_t>(std::min(segmentBytes, bytes - at)))});
    }
  }
  std::vector<uint8_t> slab;
  std::vector<Burst> bursts;
  std::vector<std::pair<Address, Datagram>> datagrams;
};

std::unique_ptr<dtls::Context> makeContext() {
  const auto identity = dtls::generateIdentity(1'700'000'000);
  REQUIRE(identity);
  return dtls::Context::create(identity->certificate, identity->privateKey);
}

/// What a session of the server is, without tracks.
struct Server final : dtls::EndpointSink, sctp::Sink {
  Server(dtls::Role role, const dtls::Context& context) : endpoint(context, role) {
    agent.setLocalCredentials(std::vector{kServerCredentials});
  }
  void receive(const Datagram& d, const Address& from, TimeUs nowUs) {
    now = nowUs;
    switch (wire::classify(d)) {
      case wire::DatagramClass::kStun: {
        const auto m = wire::StunMessage::parse(d);
        REQUIRE(m);
        Datagram answer(wire::kMaxStunBytes);
        const ice::CheckOutcome o = agent.handle(*m, from, now, answer);
        answer.resize(o.answerBytes);
        if (o.answerBytes > 0) sent.push_back({from, answer});
        if (o.landed) endpoint.start(now, *this);
        if (o.tupleChanged) ++tupleChanges;
        return;
      }
      case wire::DatagramClass::kDtls:
        return endpoint.receive(d, now, *this);
      case wire::DatagramClass::kRtp: {
        Datagram plain(d.size());
        const srtp::Opened o = open->openRtp(d, plain);
        if (o.verdict != srtp::OpenVerdict::kOpened) return;
        plain.resize(o.size);
        rtp.push_back(plain);
        return;
      }
      case wire::DatagramClass::kRtcp: {
        Datagram plain(d.size());
        const srtp::Opened o = open->openRtcp(d, plain);
        if (o.verdict != srtp::OpenVerdict::kOpened) return;
        plain.resize(o.size);
        rtcp.push_back(plain);
        return;
      }
      case wire::DatagramClass::kOther:
        return;
    }
  }
  void dtlsDatagram(Bytes d) override { sent.push_back({agent.selected(), Datagram(d.begin(), d.end())}); }
  void dtlsConnected(const std::optional<wire::SrtpKeyPair>& keys) override {
    REQUIRE(keys);
    seal = srtp::SealContext::create(keys->local);
    open = srtp::OpenContext::create(keys->remote);
    association.emplace(sctp::AssociationConfig{.dtlsClient = endpoint.role() == dtls::Role::kClient}, sctp::Seed{7});
    association->open({.label = "negotiated", .negotiatedStream = 0}, now, *this);
  }
  void dtlsData(Bytes m) override { association->receive(m, now, *this); }
  void dtlsClosed(dtls::EndReason r) override { ended = r; }

  void packet(Bytes p) override {
    Datagram out(p.size() + dtls::Endpoint::kOverheadBytes);
    REQUIRE(endpoint.seal(p, out) == out.size());
    sent.push_back({agent.selected(), out});
  }
  void established() override {}
  void channelOpened(sctp::StreamId, const sctp::ChannelSpec& spec) override { channels.push_back(spec.label); }
  void message(const sctp::Message& m) override {
    messages.emplace_back(m.bytes.begin(), m.bytes.end());
    CHECK(association->send({m.stream, m.kind, m.bytes}, now, *this) == sctp::SendResult::kOk);  // echoed
  }
  void channelClosed(sctp::StreamId) override {}
  void writable() override {}
  void closed(sctp::CloseReason) override {}

  ice::LiteAgent agent{{}};
  dtls::Endpoint endpoint;
  std::optional<srtp::SealContext> seal;
  std::optional<srtp::OpenContext> open;
  std::optional<sctp::Association> association;
  std::vector<std::pair<Address, Datagram>> sent;
  std::vector<Datagram> rtp;
  std::vector<Datagram> rtcp;
  std::vector<std::string> channels;
  std::vector<std::string> messages;
  std::optional<dtls::EndReason> ended;
  int tupleChanges = 0;
  TimeUs now = 0;
};

struct Call final : peer::PeerSink {
  explicit Call(bool dtlsClient = true, double loss = 0, uint32_t seed = 1)
      : rng(seed), lossRate(loss), server(dtlsClient ? dtls::Role::kServer : dtls::Role::kClient, *serverContext) {
    peer::PeerConfig config;
    config.server = kServerAddress;
    config.ice.local = kClientCredentials;
    config.ice.remote = kServerCredentials;
    config.dtlsClient = dtlsClient;
    config.remoteFingerprints = {*serverContext->fingerprint("sha-256")};
    config.data = sctp::AssociationConfig{};
    config.channels = {{.label = "negotiated", .negotiatedStream = 0}};
    client.emplace(config, *clientContext, *this);
    server.endpoint.setRemoteFingerprints(std::vector{*clientContext->fingerprint("sha-256")}, server);
  }

  DatagramSink& datagrams() override { return collector; }
  void random(MutableBytes out) override {
    for (uint8_t& b : out) b = static_cast<uint8_t>(rng());
  }
  void connected(bool media) override {
    ++connects;
    CHECK(media);
  }
  void rtp(Bytes p) override { rtpReceived.emplace_back(p.begin(), p.end()); }
  void rtcp(Bytes p) override { rtcpReceived.emplace_back(p.begin(), p.end()); }
  void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& spec) override { channels[spec.label] = stream; }
  void channelClosed(sctp::StreamId) override {}
  void message(const sctp::Message& m) override { messages.emplace_back(m.bytes.begin(), m.bytes.end()); }
  void writable() override {}
  void ended(peer::EndReason r) override { ends.push_back(r); }

  void run(TimeUs duration) {
    const TimeUs until = now + duration;
    while (true) {
      for (auto& [to, d] : std::exchange(collector.datagrams, {})) post(true, std::move(d));
      for (auto& [to, d] : std::exchange(server.sent, {})) {
        if (to == clientAddress) post(false, std::move(d));
      }
      TimeUs next = std::min(client->nextDeadline(), server.endpoint.nextDeadline());
      if (server.association) next = std::min(next, server.association->nextDeadline());
      if (!inFlight.empty()) next = std::min(next, inFlight.begin()->first);
      if (next > until) break;
      now = std::max(now, next);
      deliver();
      client->onDeadline(now);
      server.now = now;
      server.endpoint.onDeadline(now, server);
      if (server.association) server.association->onDeadline(now, server);
    }
    now = until;
  }

  void post(bool toServer, Datagram d) {
    if (serverDead || std::uniform_real_distribution<>(0, 1)(rng) < lossRate) return;
    inFlight.insert({now + 20 * kMillisecondUs, {toServer, std::move(d)}});
  }
  void deliver() {
    while (!inFlight.empty() && inFlight.begin()->first <= now) {
      const auto [toServer, d] = std::move(inFlight.begin()->second);
      inFlight.erase(inFlight.begin());
      if (toServer) {
        server.receive(d, clientAddress, now);
      } else {
        client->receive(d, kServerAddress, now);
      }
    }
  }

  void connect() {
    client->start(now);
    run(3 * kSecondUs);
    REQUIRE(connects == 1);
    REQUIRE(server.endpoint.connected());
  }

  std::unique_ptr<dtls::Context> clientContext = makeContext();
  std::unique_ptr<dtls::Context> serverContext = makeContext();
  std::mt19937 rng;
  double lossRate;
  Server server;
  Collector collector;
  std::optional<peer::Peer> client;
  Address clientAddress = addressOf(9, 50'000);
  bool serverDead = false;
  TimeUs now = 1'000'000;
  std::multimap<TimeUs, std::pair<bool, Datagram>> inFlight;
  std::vector<Datagram> rtpReceived;
  std::vector<Datagram> rtcpReceived;
  std::map<std::string, sctp::StreamId> channels;
  std::vector<std::string> messages;
  std::vector<peer::EndReason> ends;
  int connects = 0;
};

Datagram rtpPacket(Ssrc ssrc, uint16_t seq, size_t payloadBytes) {
  Datagram p(12 + 8 + payloadBytes, 0x42);
  p[0] = 0x90;
  p[1] = 96;
  writeU16(p.data() + 2, seq);
  writeU32(p.data() + 8, ssrc);
  writeU16(p.data() + 12, 0xBEDE);
  writeU16(p.data() + 14, 1);
  return p;
}

Bytes bytesOf(const std::string& s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}

}  // namespace

TEST_CASE("peer: connects in either DTLS role and carries media and messages both ways") {
  for (const bool dtlsClient : {true, false}) {
    Call call(dtlsClient);
    call.connect();
    CHECK(call.client->mappedAddress() == call.clientAddress);
    CHECK(call.server.agent.selected() == call.clientAddress);

    const Datagram up = rtpPacket(1, 65'535, 100);
    const Datagram next = rtpPacket(1, 0, 100);
    const std::vector<Bytes> both = {up, next};
    call.client->sendRtp(both);
    const Datagram report = {0x80, 201, 0, 1, 0, 0, 0, 1};
    call.client->sendRtcp(report);
    Datagram down(1'500);
    down.resize(call.server.seal->sealRtp(Bytes(up).first(20), Bytes(up).subspan(20), 65'535, down));
    call.server.sent.push_back({call.clientAddress, down});
    CHECK(call.client->send({0, sctp::MessageKind::kString, bytesOf("hello")}, call.now) == sctp::SendResult::kOk);
    call.run(kSecondUs);
    CHECK(call.server.rtp == std::vector<Datagram>{up, next});
    CHECK(call.server.rtcp == std::vector<Datagram>{report});
    CHECK(call.rtpReceived == std::vector<Datagram>{up});
    CHECK(call.server.messages == std::vector<std::string>{"hello"});
    CHECK(call.messages == std::vector<std::string>{"hello"});
  }
}

TEST_CASE("peer: opens channels of its own and sends large messages through loss") {
  Call call(true, 0.1);
  call.client->start(call.now);
  call.run(10 * kSecondUs);
  REQUIRE(call.client->connected());
  const auto stream = call.client->openChannel({.label = "mine"}, call.now);
  REQUIRE(stream);
  call.run(5 * kSecondUs);
  CHECK(call.server.channels == std::vector<std::string>{"negotiated", "mine"});
  const std::string large(60'000, 'x');
  CHECK(call.client->send({*stream, sctp::MessageKind::kBinary, bytesOf(large)}, call.now) == sctp::SendResult::kOk);
  call.run(20 * kSecondUs);
  CHECK(call.server.messages == std::vector<std::string>{large});
  CHECK(call.messages == std::vector<std::string>{large});
}

TEST_CASE("peer: connects through a quarter of all datagrams lost") {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    Call call(true, 0.25, seed);
    call.client->start(call.now);
    call.run(14 * kSecondUs);
    CAPTURE(seed);
    CHECK(call.client->connected());
    CHECK(call.server.endpoint.connected());
  }
}

TEST_CASE("peer: packets of one size leave as one burst, others apart") {
  Call call;
  call.connect();
  call.collector.bursts.clear();
  std::vector<Datagram> packets;
  for (uint16_t i = 0; i < 5; ++i) packets.push_back(rtpPacket(1, i, 1'000));
  packets.push_back(rtpPacket(1, 5, 10));
  for (uint16_t i = 6; i < 106; ++i) packets.push_back(rtpPacket(1, i, 200));
  const std::vector<Bytes> spans(packets.begin(), packets.end());
  call.client->sendRtp(spans);
  std::vector<size_t> segments;
  for (const auto& b : call.collector.bursts) segments.push_back(b.segments);
  CHECK(segments == std::vector<size_t>{5, 1, 64, 36});
  call.run(kSecondUs);
  CHECK(call.server.rtp == packets);
}

TEST_CASE("peer: consent is asked for every 2.5 s or so, and its loss ends the call") {
  Call call;
  call.connect();
  call.run(20 * kSecondUs);
  const uint64_t before = call.client->counters().bytesSent;
  call.run(100 * kSecondUs);
  const uint64_t checks = (call.client->counters().bytesSent - before) / 100;
  CHECK(checks > 30);
  CHECK(checks < 60);
  CHECK(call.ends.empty());
  CHECK(call.server.agent.nextDeadline() > call.now + 10 * kSecondUs);
  call.serverDead = true;
  call.run(16 * kSecondUs);
  CHECK(call.ends == std::vector{peer::EndReason::kConsentLost});
  CHECK(call.client->nextDeadline() == kNever);
}

TEST_CASE("peer: nobody there is told as unreachable") {
  Call call;
  call.serverDead = true;
  call.client->start(call.now);
  call.run(20 * kSecondUs);
  CHECK(call.ends == std::vector{peer::EndReason::kUnreachable});
}

TEST_CASE("peer: a new address is followed by the server at the next check, with media going on") {
  Call call;
  call.connect();
  call.clientAddress = addressOf(9, 50'001);
  call.run(4 * kSecondUs);
  CHECK(call.server.agent.selected() == call.clientAddress);
  CHECK(call.server.tupleChanges == 2);
  CHECK(call.client->mappedAddress() == call.clientAddress);
  call.client->sendRtp(rtpPacket(3, 1, 10));
  call.run(kSecondUs);
  CHECK(call.server.rtp.size() == 1);
}

TEST_CASE("peer: goes on through an ICE restart") {
  Call call;
  call.connect();
  const IceCredentials fresh{"server2", "another password of the server"};
  call.server.agent.setLocalCredentials(std::vector{fresh, kServerCredentials});
  call.client->restart({"client2", "another password of the client"}, fresh, kServerAddress, call.now);
  call.run(kSecondUs);
  call.server.agent.setLocalCredentials(std::vector{fresh});
  call.run(60 * kSecondUs);
  CHECK(call.ends.empty());
  CHECK(!call.server.agent.consentExpired(call.now));
}

TEST_CASE("peer: close is heard by the server, and nothing is sent afterwards") {
  Call call;
  call.connect();
  call.client->close();
  call.run(kSecondUs);
  CHECK(call.ends == std::vector{peer::EndReason::kClosedHere});
  CHECK(call.server.ended == dtls::EndReason::kClosedByPeer);
  call.collector.bursts.clear();
  call.client->sendRtp(rtpPacket(3, 1, 10));
  call.client->sendRtcp(rtpPacket(3, 1, 10));
  call.run(10 * kSecondUs);
  CHECK(call.collector.bursts.empty());
}
