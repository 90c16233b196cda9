// Sessions on shards: how they land, move, end, and whose datagrams are whose.
#include "core/wire/stun.h"
#include "world.h"

using namespace sluice;
using namespace sluice::test;

namespace {

Datagram check(const SessionSpec& spec, std::string_view password) {
  Datagram out(wire::kMaxStunBytes);
  wire::BindingRequest request;
  const std::string username = spec.localCredentials.front().usernameFragment + ":client";
  request.username = username;
  request.useCandidate = true;
  out.resize(wire::writeBindingRequest(out, request, wire::stunKey(password)));
  return out;
}
Datagram check(const SessionSpec& spec) {
  return check(spec, spec.localCredentials.front().password);
}

size_t closed(const World& world, CloseReason reason) {
  const auto events = world.events<SessionClosed>();
  return static_cast<size_t>(
      std::count_if(events.begin(), events.end(), [&](const SessionClosed& e) { return e.reason == reason; }));
}

}  // namespace

TEST_CASE("session: lands with the first authentic check, connects, and says so once each") {
  World world;
  Client& c = world.add(sessionSpec(1));
  CHECK(world.shard().sessions() == 0);
  world.connect({&c});
  CHECK(world.shard().sessions() == 1);
  REQUIRE(world.events<SessionLanded>().size() == 1);
  CHECK(world.events<SessionLanded>()[0].remote == c.address);
  CHECK(world.events<SessionConnected>().size() == 1);
  const auto snapshot = world.snapshot(SessionKey{1});
  REQUIRE(snapshot);
  CHECK(snapshot->state == SessionState::kConnected);
  CHECK(snapshot->remote == c.address);
  CHECK(snapshot->connectedAtUs >= snapshot->landedAtUs);
  CHECK(snapshot->datagramsOut > 0);
}

TEST_CASE("session: a check with a wrong password makes no session, claims nothing and is not answered") {
  World world(2);
  const SessionSpec spec = sessionSpec(1);
  world.announce(spec);
  world.inject(addressOf(99, 1), {check(spec, "not the password")});
  CHECK(world.shard(0).sessions() + world.shard(1).sessions() == 0);
  CHECK(world.total(DropReason::kStunUnauthenticated) == 1);
  CHECK(world.total(Counter::kDatagramsOut) == 0);
}

TEST_CASE("session: a check that comes before its spec is answered when the spec comes") {
  World world;
  const SessionSpec spec = sessionSpec(1);
  const Address client = addressOf(99, 1);
  world.inject(client, {check(spec), check(spec)});
  REQUIRE(world.events<UnknownUsernameFragment>().size() == 1);
  CHECK(world.events<UnknownUsernameFragment>()[0].usernameFragment == "fragment1");
  CHECK(world.total(Counter::kDatagramsOut) == 0);
  world.announce(spec);
  CHECK(world.shard().sessions() == 1);
  CHECK(world.total(Counter::kDatagramsOut) == 1);
}

TEST_CASE("session: the waiting room for checks is small, and empties by itself") {
  World world;
  for (uint64_t i = 0; i < 1'000; ++i) world.inject(addressOf(99, 1), {check(sessionSpec(i))});
  CHECK(world.total(DropReason::kStunPendingFull) > 900);
  CHECK(world.events<UnknownUsernameFragment>().size() <= 100);
  world.run(2 * kSecondUs);
  CHECK(world.total(DropReason::kStunPendingExpired) + world.total(DropReason::kStunPendingFull) == 1'000);
}

TEST_CASE("session: a fingerprint that comes after the handshake ends it then") {
  World world;
  SessionSpec spec = sessionSpec(1);
  const auto fingerprints = std::exchange(spec.remoteFingerprints, {});
  Client& c = world.add(spec);
  c.connect();
  world.run(kSecondUs);
  CHECK(world.events<SessionConnected>().empty());
  c.spec.remoteFingerprints = fingerprints;
  c.spec.incoming = {audioIn(1, 500)};
  world.update(c);
  CHECK(world.events<SessionConnected>().size() == 1);
  c.send(opus(500, 1, 0));
  world.settle();
  CHECK(world.events<TrackStarted>().size() == 1);
}

TEST_CASE("session: the wrong certificate ends it") {
  World world;
  SessionSpec spec = sessionSpec(1);
  spec.remoteFingerprints[0].digest[0] ^= 1;
  Client& c = world.add(spec);
  c.connect();
  world.run(kSecondUs);
  CHECK(closed(world, CloseReason::kDtlsFailed) == 1);
  CHECK(world.shard().sessions() == 0);
}

TEST_CASE("session: works with this side as the DTLS client too") {
  World world;
  SessionSpec spec = sessionSpec(1);
  spec.dtlsServer = false;
  Client& c = world.add(spec);
  world.connect({&c});
  CHECK(world.events<SessionConnected>().size() == 1);
}

TEST_CASE("session: a client that vanishes is let go when consent runs out, one that never connects before that") {
  World world;
  Client& c = world.add(sessionSpec(1));
  world.connect({&c});
  c.vanish();
  world.run(11 * kSecondUs);
  CHECK(world.shard().sessions() == 1);
  world.run(5 * kSecondUs);
  CHECK(world.shard().sessions() == 0);
  CHECK(closed(world, CloseReason::kConsentExpired) == 1);

  const SessionSpec spec = sessionSpec(2);
  world.announce(spec);
  for (int i = 0; i < 40; ++i) {
    world.inject(addressOf(99, 1), {check(spec)});
    world.run(kSecondUs);
  }
  CHECK(closed(world, CloseReason::kSetupTimeout) == 1);
  CHECK(world.total(DropReason::kSessionEnded) > 0);
}

TEST_CASE("session: one that ended comes back with a new epoch, not before") {
  World world;
  Client& c = world.add(sessionSpec(1));
  world.connect({&c});
  c.peer->close();
  world.settle();
  CHECK(closed(world, CloseReason::kDtlsClosed) == 1);
  CHECK(world.shard().sessions() == 0);
  c.connect();
  world.run(kSecondUs);
  CHECK(world.shard().sessions() == 0);
  ++c.spec.epoch;
  world.update(c);
  world.connect({&c});
  CHECK(world.shard().sessions() == 1);
}

TEST_CASE("session: dropped, its client hears goodbye and nothing of it is left") {
  World world(2);
  SessionSpec spec = sessionSpec(1);
  spec.incoming = {videoIn(1, 100)};
  spec.outgoing = {videoOut(2, 200)};
  addData(spec, 1);
  Client& c = world.add(spec);
  world.connect({&c});
  world.drop(SessionKey{1});
  world.settle();
  CHECK(c.endedWith == peer::EndReason::kDtlsClosed);
  CHECK(closed(world, CloseReason::kDropped) == 1);
  CHECK(world.shard(0).sessions() + world.shard(1).sessions() == 0);
  CHECK_FALSE(world.snapshot(SessionKey{1}));
  world.inject(c.address, {check(c.spec)});
  CHECK(world.events<UnknownUsernameFragment>().size() == 1);
}

TEST_CASE("session: an older spec changes nothing") {
  World world;
  SessionSpec spec = sessionSpec(1);
  spec.incoming = {audioIn(1, 500)};
  spec.generation = 5;
  Client& c = world.add(spec);
  world.connect({&c});
  SessionSpec older = spec;
  older.generation = 4;
  older.incoming = {};
  world.announce(older);
  SessionSpec same = spec;
  same.incoming = {};
  world.announce(same);
  c.send(opus(500, 1, 0));
  world.settle();
  CHECK(world.events<TrackStarted>().size() == 1);
  SessionSpec newer = older;
  newer.epoch = 1;  // another writer took over, and counts from the beginning
  newer.generation = 1;
  world.announce(newer);
  c.send(opus(500, 2, 960));
  world.settle();
  CHECK(world.total(DropReason::kRtpUnknownSource) == 1);
}

TEST_CASE("session: a client whose address changes goes on, on the same shard or from another") {
  for (size_t landing = 0; landing < 2; ++landing) {
    CAPTURE(landing);
    World world(2);
    std::map<uint16_t, size_t> ports{{5'000, 0}, {6'000, landing}};
    world.shardOf = [&](const Address& a) { return ports[a.port]; };
    SessionSpec p = sessionSpec(1);
    p.incoming = {audioIn(1, 500)};
    SessionSpec s = sessionSpec(2);
    s.outgoing = {audioOut(1, 600)};
    Client& publisher = world.add(p);
    Client& subscriber = world.add(s);
    world.connect({&publisher, &subscriber});
    uint16_t seq = 0;
    const auto speak = [&](int packets) {
      for (int i = 0; i < packets; ++i, ++seq) {
        publisher.send(opus(500, seq, seq * 960U));
        world.run(20 * kMillisecondUs);
      }
    };
    speak(10);
    publisher.moveTo(addressOf(77, 6'000));
    subscriber.moveTo(addressOf(78, 6'000));
    speak(500);
    CHECK(world.events<SessionMoved>().size() == 2);
    CHECK(world.snapshot(SessionKey{1})->remote == publisher.address);
    CHECK(world.shard(0).sessions() == 2);
    const size_t before = subscriber.packets.size();
    speak(50);
    CHECK(subscriber.packets.size() == before + 50);
    if (landing == 1) CHECK(world.total(Counter::kHandedOver) >= 50);

    // When it is gone, the other shard forgets the address.
    world.drop(SessionKey{1});
    world.settle();
    const uint64_t unknown = world.total(DropReason::kUnknownAddress);
    world.inject(publisher.address, {opus(1, 1, 1).bytes()});
    CHECK(world.total(DropReason::kUnknownAddress) == unknown + 1);
  }
}

TEST_CASE("session: any shard may be the first to see it, and two at once agree on one") {
  World world(4);
  std::vector<Client*> clients;
  for (uint64_t i = 0; i < 8; ++i) clients.push_back(&world.add(sessionSpec(i)));
  // Each client's checks come from two addresses that land on different shards.
  for (Client* c : clients) {
    c->connect();
    for (uint16_t port = 1; port < 10; ++port) world.inject(addressOf(200, port), {check(c->spec)});
  }
  world.run(3 * kSecondUs);
  for (Client* c : clients) CHECK(c->peer->connected());
  CHECK(world.events<SessionLanded>().size() == 8);
  size_t sessions = 0;
  for (size_t i = 0; i < 4; ++i) sessions += world.shard(i).sessions();
  CHECK(sessions == 8);
}

TEST_CASE("session: new credentials are taken at once, old ones until they are gone from the spec") {
  World world;
  Client& c = world.add(sessionSpec(1));
  world.connect({&c});
  const IceCredentials old = c.spec.localCredentials[0];
  const IceCredentials fresh{"fresh-fragment", "a fresh password that is long enough"};
  c.spec.localCredentials = {fresh, old};
  world.update(c);
  world.inject(c.address, {check(c.spec)});
  SessionSpec before = c.spec;
  before.localCredentials = {old};
  world.inject(c.address, {check(before)});
  CHECK(world.total(DropReason::kStunUnauthenticated) == 0);
  CHECK(world.events<UnknownUsernameFragment>().empty());
  c.spec.localCredentials = {fresh};
  world.update(c);
  world.inject(c.address, {check(before)});
  CHECK(world.events<UnknownUsernameFragment>().size() == 1);
  CHECK(world.shard().sessions() == 1);
}

TEST_CASE("session: strangers' datagrams are counted and never answered") {
  World world;
  Client& c = world.add(sessionSpec(1));
  world.connect({&c});
  const uint64_t out = world.total(Counter::kDatagramsOut);
  std::mt19937 random(5);
  std::vector<Datagram> batch(2'000);
  for (Datagram& d : batch) {
    d.resize(random() % 300);
    for (uint8_t& b : d) b = static_cast<uint8_t>(random());
    if (!d.empty() && random() % 2 == 0) d[0] = static_cast<uint8_t>(random() % 192);
  }
  const uint64_t dropped = world.total(DropReason::kUnclassified) + world.total(DropReason::kUnknownAddress) +
                           world.total(DropReason::kStunMalformed);
  world.inject(addressOf(123, 4), batch);
  CHECK(world.total(Counter::kDatagramsOut) == out);
  CHECK(world.total(DropReason::kUnclassified) + world.total(DropReason::kUnknownAddress) +
            world.total(DropReason::kStunMalformed) - dropped ==
        2'000);
}

TEST_CASE("session: two hundred come and go twenty times, and nothing stays behind") {
  World world(2);
  for (int round = 0; round < 20; ++round) {
    std::vector<Client*> clients;
    for (uint64_t i = 0; i < 10; ++i) {
      SessionSpec s = sessionSpec(1'000 + static_cast<uint64_t>(round) * 10 + i);
      s.incoming = {videoIn(100 + i, static_cast<Ssrc>(100 + i))};
      for (uint64_t other = 0; other < 10; ++other) {
        if (other != i) s.outgoing.push_back(videoOut(100 + other, static_cast<Ssrc>(5'000 + other)));
      }
      addData(s, 1);
      clients.push_back(&world.add(s));
      clients.back()->keepPackets = false;
      clients.back()->connect();
    }
    world.run(kSecondUs);
    for (uint64_t i = 0; i < 10; ++i) {
      clients[i]->send(vp8Frame(static_cast<Ssrc>(100 + i), 1, 0, true));
    }
    world.run(100 * kMillisecondUs);
    for (uint64_t i = 0; i < 10; ++i) {
      if (i % 3 == 0) clients[i]->vanish();
      if (i % 3 == 1) clients[i]->peer->close();
      if (i % 3 != 0 || i == 9) world.drop(clients[i]->spec.session);
      clients[i]->vanish();
    }
    world.run(20 * kSecondUs);
    for (Client* c : clients) world.drop(c->spec.session);
    CHECK(world.shard(0).sessions() + world.shard(1).sessions() == 0);
    CHECK(world.shard(0).nextDeadline() == kNever);
    CHECK(world.shard(1).nextDeadline() == kNever);
  }
}
