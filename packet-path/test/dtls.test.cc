#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/dtls/endpoint.h"
#include "core/dtls/record.h"

using namespace sluice;
using namespace sluice::dtls;

namespace {

std::unique_ptr<Context> makeContext() {
  const auto identity = generateIdentity(1'700'000'000);
  REQUIRE(identity);
  auto context = Context::create(identity->certificate, identity->privateKey);
  REQUIRE(context);
  return context;
}

using Datagram = std::vector<uint8_t>;
using Texts = std::vector<std::string>;

/// Keeps what an endpoint gave.
struct Recorder final : EndpointSink {
  void dtlsDatagram(Bytes d) override { sent.emplace_back(d.begin(), d.end()); }
  void dtlsConnected(const std::optional<wire::SrtpKeyPair>& k) override {
    ++connects;
    keys = k;
  }
  void dtlsData(Bytes m) override { messages.emplace_back(m.begin(), m.end()); }
  void dtlsClosed(EndReason r) override { ended.push_back(r); }

  std::vector<Datagram> sent;
  Texts messages;
  std::vector<EndReason> ended;
  std::optional<wire::SrtpKeyPair> keys;
  int connects = 0;
};

/// Client and server over a network that loses, repeats and reorders, on virtual time.
struct Link {
  explicit Link(uint32_t seed = 1, double loss = 0, double repeat = 0, TimeUs jitterUs = 0)
      : rng(seed), loss_(loss), repeat_(repeat), jitterUs_(jitterUs) {
    client.setRemoteFingerprints(std::vector{*serverContext->fingerprint("sha-256")}, clientOut);
    server.setRemoteFingerprints(std::vector{*clientContext->fingerprint("sha-256")}, serverOut);
  }

  bool chance(double p) { return std::uniform_real_distribution<>(0, 1)(rng) < p; }

  void carry(Recorder& from, bool toServer) {
    for (Datagram& d : from.sent) {
      for (int copies = chance(repeat_) ? 2 : 1; copies > 0; --copies) {
        if (chance(loss_)) continue;
        const TimeUs delay =
            10 * kMillisecondUs + (jitterUs_ > 0 ? static_cast<TimeUs>(rng() % static_cast<uint64_t>(jitterUs_)) : 0);
        inFlight.insert({now + delay, {toServer, d}});
      }
    }
    from.sent.clear();
  }

  /// Runs until `until` or until nothing is left to do.
  void run(TimeUs until) {
    while (true) {
      carry(clientOut, true);
      carry(serverOut, false);
      TimeUs next = std::min(client.nextDeadline(), server.nextDeadline());
      if (!inFlight.empty()) next = std::min(next, inFlight.begin()->first);
      if (next == kNever || next > until) break;
      now = next;
      while (!inFlight.empty() && inFlight.begin()->first <= now) {
        const auto [toServer, d] = inFlight.begin()->second;
        inFlight.erase(inFlight.begin());
        if (toServer) {
          server.receive(d, now, serverOut);
        } else {
          client.receive(d, now, clientOut);
        }
      }
      client.onDeadline(now, clientOut);
      server.onDeadline(now, serverOut);
    }
  }

  void sendFrom(Endpoint& endpoint, Recorder& out, const std::string& text) {
    std::vector<uint8_t> sealed(text.size() + Endpoint::kOverheadBytes);
    const Bytes data(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    REQUIRE(endpoint.seal(data, sealed) == sealed.size());
    out.sent.push_back(sealed);
  }

  std::unique_ptr<Context> clientContext = makeContext();
  std::unique_ptr<Context> serverContext = makeContext();
  Endpoint client{*clientContext, Role::kClient};
  Endpoint server{*serverContext, Role::kServer};
  Recorder clientOut;
  Recorder serverOut;
  std::mt19937 rng;
  TimeUs now = 1'000'000;
  std::multimap<TimeUs, std::pair<bool, Datagram>> inFlight;

 private:
  double loss_;
  double repeat_;
  TimeUs jitterUs_;
};

Datagram bytesOf(const std::string& s) {
  return Datagram(s.begin(), s.end());
}

}  // namespace

TEST_CASE("dtls: both ends connect in two round trips with the same SRTP keys, GCM preferred") {
  Link link;
  link.client.start(link.now, link.clientOut);
  link.run(link.now + kSecondUs);
  REQUIRE(link.client.connected());
  REQUIRE(link.server.connected());
  CHECK(link.now == 1'040'000);
  REQUIRE(link.clientOut.keys);
  REQUIRE(link.serverOut.keys);
  CHECK(link.clientOut.keys->local.profile == wire::SrtpProfile::kAeadAes128Gcm);
  CHECK(link.clientOut.keys->local.key == link.serverOut.keys->remote.key);
  CHECK(link.clientOut.keys->local.salt == link.serverOut.keys->remote.salt);
  CHECK(link.clientOut.keys->remote.key == link.serverOut.keys->local.key);
  CHECK(link.clientOut.keys->remote.salt == link.serverOut.keys->local.salt);
  CHECK(link.clientOut.keys->local.key != link.clientOut.keys->remote.key);
  CHECK(link.client.nextDeadline() == kNever);
  CHECK(link.server.nextDeadline() == kNever);
}

TEST_CASE("dtls: connects through loss, repetition and reordering, on virtual time alone") {
  int connected = 0;
  for (uint32_t seed = 1; seed <= 150; ++seed) {
    CAPTURE(seed);
    Link link(seed, 0.3, 0.2, 80 * kMillisecondUs);
    link.client.start(link.now, link.clientOut);
    link.run(link.now + 30 * kSecondUs);
    REQUIRE(link.client.connected());
    REQUIRE(link.server.connected());
    REQUIRE(link.clientOut.connects == 1);
    REQUIRE(link.serverOut.connects == 1);
    ++connected;
  }
  CHECK(connected == 150);
}

TEST_CASE("dtls: a lost last flight is sent again when the client asks for it again") {
  Link link;
  link.client.start(link.now, link.clientOut);
  // Flights one to three arrive, four does not.
  link.server.receive(link.clientOut.sent.at(0), link.now, link.serverOut);
  for (const Datagram& d : std::exchange(link.serverOut.sent, {})) link.client.receive(d, link.now, link.clientOut);
  link.clientOut.sent.erase(link.clientOut.sent.begin());
  for (const Datagram& d : std::exchange(link.clientOut.sent, {})) link.server.receive(d, link.now, link.serverOut);
  REQUIRE(link.server.connected());
  REQUIRE(!link.client.connected());
  link.serverOut.sent.clear();
  link.run(link.now + kSecondUs);
  CHECK(link.client.connected());
  CHECK(link.serverOut.connects == 1);
}

TEST_CASE("dtls: retransmission starts at 100 ms, doubles to 1.6 s and ends after half a minute") {
  Link link;
  link.client.start(link.now, link.clientOut);
  std::vector<TimeUs> gaps;
  TimeUs last = link.now;
  while (link.client.nextDeadline() != kNever) {
    link.now = link.client.nextDeadline();
    link.clientOut.sent.clear();
    link.client.onDeadline(link.now, link.clientOut);
    gaps.push_back((link.now - last) / kMillisecondUs);
    last = link.now;
  }
  CHECK(std::vector(gaps.begin(), gaps.begin() + 6) == std::vector<TimeUs>{100, 200, 400, 800, 1'600, 1'600});
  CHECK(link.clientOut.ended == std::vector{EndReason::kHandshakeTimeout});
  CHECK(link.now - 1'000'000 > 25 * kSecondUs);
  CHECK(link.now - 1'000'000 < 35 * kSecondUs);
}

TEST_CASE("dtls: a retransmitted flight never repeats a record number") {
  Link link;
  link.client.start(link.now, link.clientOut);
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 5; ++i) {
    link.now = link.client.nextDeadline();
    link.client.onDeadline(link.now, link.clientOut);
  }
  for (const Datagram& d : link.clientOut.sent) {
    Bytes rest(d);
    while (const auto record = takeRecord(rest)) numbers.push_back(record->sequence);
  }
  CHECK(numbers.size() >= 6);
  std::sort(numbers.begin(), numbers.end());
  CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
}

TEST_CASE("dtls: another certificate than the announced one ends both ends") {
  Link link;
  const auto other = makeContext();
  link.server.setRemoteFingerprints(std::vector{*other->fingerprint("sha-256")}, link.serverOut);
  link.client.start(link.now, link.clientOut);
  link.run(link.now + 5 * kSecondUs);
  CHECK(link.serverOut.connects == 0);
  CHECK(link.serverOut.ended == std::vector{EndReason::kFingerprintMismatch});
  CHECK(link.clientOut.ended == std::vector{EndReason::kClosedByPeer});
}

TEST_CASE("dtls: one of several announced fingerprints is enough, with any of the three hashes") {
  for (const char* algorithm : {"sha-256", "sha-384", "sha-512"}) {
    Link link;
    const auto other = makeContext();
    link.server.setRemoteFingerprints(
        std::vector{*other->fingerprint("sha-256"), *link.clientContext->fingerprint(algorithm)}, link.serverOut);
    link.client.start(link.now, link.clientOut);
    link.run(link.now + kSecondUs);
    CHECK(link.server.connected());
  }
  CHECK(!makeContext()->fingerprint("sha-1"));
}

TEST_CASE("dtls: a fingerprint may come after the handshake; data that came meanwhile is not lost") {
  Link link;
  Endpoint server(*link.serverContext, Role::kServer);
  link.server = std::move(server);
  link.client.start(link.now, link.clientOut);
  link.run(link.now + kSecondUs);
  REQUIRE(link.client.connected());
  CHECK(!link.server.connected());
  link.sendFrom(link.client, link.clientOut, "first");
  link.sendFrom(link.client, link.clientOut, "second");
  link.run(link.now + kSecondUs);
  CHECK(link.serverOut.messages.empty());
  CHECK(link.serverOut.connects == 0);
  link.server.setRemoteFingerprints({}, link.serverOut);
  CHECK(link.serverOut.connects == 0);

  SUBCASE("the right one") {
    link.server.setRemoteFingerprints(std::vector{*link.clientContext->fingerprint("sha-512")}, link.serverOut);
    CHECK(link.serverOut.connects == 1);
    CHECK(link.serverOut.messages == Texts{"first", "second"});
  }
  SUBCASE("a wrong one") {
    link.server.setRemoteFingerprints(std::vector{*link.serverContext->fingerprint("sha-256")}, link.serverOut);
    CHECK(link.serverOut.connects == 0);
    CHECK(link.serverOut.messages.empty());
    CHECK(link.serverOut.ended == std::vector{EndReason::kFingerprintMismatch});
  }
}

TEST_CASE("dtls: data travels both ways, once each, and a replay is refused") {
  Link link;
  link.client.start(link.now, link.clientOut);
  link.run(link.now + kSecondUs);
  link.sendFrom(link.client, link.clientOut, "up");
  link.sendFrom(link.server, link.serverOut, std::string(1'500, 'd'));
  const Datagram up = link.clientOut.sent.at(0);
  link.run(link.now + kSecondUs);
  CHECK(link.serverOut.messages == Texts{"up"});
  CHECK(link.clientOut.messages == Texts{std::string(1'500, 'd')});
  link.server.receive(up, link.now, link.serverOut);
  CHECK(link.serverOut.messages.size() == 1);
  CHECK(link.server.dropped(RecordDrop::kReplayed) == 1);

  Datagram forged = up;
  forged[10] ^= 0x40;  // another sequence number
  link.server.receive(forged, link.now, link.serverOut);
  CHECK(link.server.dropped(RecordDrop::kUnauthentic) == 1);
  std::vector<uint8_t> out(4'000);
  CHECK(link.client.seal(std::vector<uint8_t>(Endpoint::kMaxDataBytes + 1), out) == 0);
  CHECK(link.client.seal(bytesOf("x"), MutableBytes(out).first(Endpoint::kOverheadBytes)) == 0);
}

TEST_CASE("dtls: close tells the peer, and nothing works afterwards") {
  Link link;
  link.client.start(link.now, link.clientOut);
  link.run(link.now + kSecondUs);
  link.client.close(link.clientOut);
  link.run(link.now + kSecondUs);
  CHECK(link.clientOut.ended == std::vector{EndReason::kClosedHere});
  CHECK(link.serverOut.ended == std::vector{EndReason::kClosedByPeer});
  std::vector<uint8_t> out(100);
  CHECK(link.server.seal(bytesOf("x"), out) == 0);
  link.client.close(link.clientOut);
  CHECK(link.clientOut.ended.size() == 1);
}

TEST_CASE("dtls: garbage before, during and after the handshake does no harm and is counted") {
  Link link;
  std::mt19937 rng(5);
  const auto garbage = [&](Endpoint& e, Recorder& out) {
    for (int i = 0; i < 50; ++i) {
      Datagram d(13 + rng() % 100);
      for (uint8_t& b : d) b = static_cast<uint8_t>(rng());
      d[0] = static_cast<uint8_t>(20 + rng() % 4);
      d[1] = 0xFE;
      d[2] = 0xFD;
      d[3] = 0;
      d[4] = static_cast<uint8_t>(d[0] == kHandshake ? rng() % 3 : 1 + rng() % 3);
      writeU16(d.data() + 11, static_cast<uint16_t>(d.size() - 13));
      e.receive(d, link.now, out);
    }
  };
  garbage(link.server, link.serverOut);
  link.client.start(link.now, link.clientOut);
  link.run(link.now + 25 * kMillisecondUs);
  garbage(link.server, link.serverOut);
  link.run(link.now + kSecondUs);
  garbage(link.server, link.serverOut);
  garbage(link.client, link.clientOut);
  link.sendFrom(link.client, link.clientOut, "still here");
  link.run(link.now + kSecondUs);
  CHECK(link.serverOut.messages == Texts{"still here"});
  CHECK(link.server.dropped(RecordDrop::kUnauthentic) > 0);
  CHECK(link.server.dropped(RecordDrop::kUnexpected) > 0);
}

TEST_CASE("dtls: a certificate and another's key are refused") {
  const auto a = generateIdentity(1'700'000'000);
  const auto b = generateIdentity(1'700'000'000);
  REQUIRE(a);
  REQUIRE(b);
  CHECK(!Context::create(a->certificate, b->privateKey));
  CHECK(!Context::create("nonsense", a->privateKey));
  CHECK(!Context::create(a->certificate, ""));
}
