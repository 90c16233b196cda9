// Whole packet paths on real threads and loopback sockets, asked by hand-made clients.
#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/dtls/context.h"
#include "core/wire/stun.h"
#include "io/address.h"
#include "io/clock.h"
#include "io/engine.h"

using namespace sluice;
using namespace sluice::io;

namespace {

constexpr const char* kPassword = "password-of-22-letters";

const Identity& identity() {
  static const Identity made = [] {
    const auto pem = dtls::generateIdentity(0, 36'500);
    REQUIRE(pem.has_value());
    return Identity{pem->certificate, pem->privateKey};
  }();
  return made;
}

/// An engine, and everything that it has told so far.
struct Path {
  explicit Path(size_t shards, Backend backend = kDefaultBackend, const char* ip = "127.0.0.1") {
    EngineConfig config;
    config.bind = {*parseAddress(ip, 0)};
    config.shards = shards;
    config.backend = backend;
    config.shard.identity = identity();
    auto opened = Engine::open(config, [this] {
      const std::lock_guard lock(mutex);
      notified = true;
      told.notify_one();
    });
    REQUIRE(std::holds_alternative<std::unique_ptr<Engine>>(opened));
    engine = std::move(std::get<std::unique_ptr<Engine>>(opened));
  }

  [[nodiscard]] Address at() const { return *parseAddress("127.0.0.1", engine->boundTo()[0].port); }

  void take() {
    Engine::Delivery delivery = engine->take();
    for (auto& event : delivery.events) events.push_back(std::move(event));
    for (auto& report : delivery.reports) reports.push_back(std::move(report));
    for (auto& report : delivery.sessionReports) sessionReports.push_back(std::move(report));
  }

  /// Waits until `isThere`, asking it after each notification; false after five seconds.
  template <typename Condition>
  bool until(const Condition& isThere) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    for (;;) {
      take();
      if (isThere()) return true;
      std::unique_lock lock(mutex);
      if (!told.wait_until(lock, deadline, [this] { return notified; })) return false;
      notified = false;
    }
  }

  EngineReport report() {
    const auto ticket = engine->askAll();
    REQUIRE(ticket.has_value());
    EngineReport found;
    REQUIRE(until([&] {
      const auto it = std::ranges::find(reports, *ticket, &std::pair<uint64_t, EngineReport>::first);
      if (it == reports.end()) return false;
      found = it->second;
      return true;
    }));
    return found;
  }

  uint64_t total(Counter what) {
    uint64_t sum = 0;
    for (const auto& shard : report().shards) sum += shard.counters.of(what);
    return sum;
  }

  template <typename T>
  [[nodiscard]] size_t count() const {
    return static_cast<size_t>(
        std::ranges::count_if(events, [](const Event& e) { return std::holds_alternative<T>(e); }));
  }

  std::mutex mutex;
  std::condition_variable told;
  bool notified = false;
  std::vector<Event> events;
  std::vector<std::pair<uint64_t, EngineReport>> reports;
  std::vector<std::pair<uint64_t, SessionReport>> sessionReports;
  std::unique_ptr<Engine> engine;  // last: its threads notify until it ends
};

/// A UDP socket that asks.
struct Client {
  Client() {
    auto opened = openSocket(kDefaultBackend, SocketOptions{.bind = *parseAddress("127.0.0.1", 0)}, ends);
    REQUIRE(std::holds_alternative<std::unique_ptr<Socket>>(opened));
    socket = std::move(std::get<std::unique_ptr<Socket>>(opened));
    waiter = makeWaiter(kDefaultBackend);
    waiter->watch(*socket);
  }

  void send(const Address& to, std::vector<uint8_t> bytes, size_t segmentBytes = 0) {
    SendPatience patience;
    socket->send(to, nullptr, bytes, segmentBytes == 0 ? bytes.size() : segmentBytes, patience, counters);
  }

  void check(const Address& to, const std::string& fragment) {
    const std::string username = fragment + ":mine";
    wire::BindingRequest request;
    request.transaction[0] = ++checks;
    request.username = username;
    request.useCandidate = true;
    std::vector<uint8_t> bytes(wire::kMaxStunBytes);
    bytes.resize(wire::writeBindingRequest(bytes, request, wire::stunKey(kPassword)));
    send(to, bytes);
  }

  /// The next answer that is a binding success; empty after a second without one.
  std::optional<Address> mapped() {
    std::vector<ReceivedDatagram> batch;
    while (waiter->wait(kSecondUs) != 0) {
      batch.clear();
      socket->receive(buffer, batch, counters);
      for (const auto& d : batch) {
        const auto answer = wire::StunMessage::parse(d.bytes);
        if (answer.has_value() && answer->kind == wire::StunClass::kSuccess) return answer->mappedAddress;
      }
    }
    return std::nullopt;
  }

  LocalEnds ends;
  std::unique_ptr<Socket> socket;
  std::unique_ptr<Waiter> waiter;
  ReceiveBuffer buffer;
  IoCounters counters;
  uint8_t checks = 0;
};

std::shared_ptr<const SessionSpec> spec(uint64_t session, const std::string& fragment) {
  auto out = std::make_shared<SessionSpec>();
  out->session = SessionKey{session};
  out->participant = ParticipantKey{session};
  out->generation = 1;
  out->localCredentials = {{fragment, kPassword}};
  return out;
}

}  // namespace

TEST_CASE("engine: shards have one port, and open and close leave nothing behind") {
  for (const Backend backend : {Backend::kLinux, Backend::kPortable}) {
    const int before = ::dup(0);
    ::close(before);
    for (int i = 0; i < 5; ++i) {
      Path path(4, backend);
      CHECK(path.engine->shards() == 4);
      CHECK(path.engine->boundTo()[0].port != 0);
      CHECK(path.engine->receiveBufferBytes() > 100'000);
    }
    const int after = ::dup(0);
    ::close(after);
    CHECK_MESSAGE(before == after, "descriptors are closed");
  }
}

TEST_CASE("engine: a session lands wherever its client's check arrives, and answers with the address it saw") {
  for (const Backend backend : {Backend::kLinux, Backend::kPortable}) {
    Path path(3, backend, "0.0.0.0");
    std::vector<std::unique_ptr<Client>> clients;
    for (uint64_t i = 0; i < 24; ++i) {
      REQUIRE(path.engine->apply(spec(i + 1, "fragment" + std::to_string(i))));
      clients.push_back(std::make_unique<Client>());
    }
    (void)path.report();  // every shard has obeyed by now
    for (size_t i = 0; i < clients.size(); ++i) {
      clients[i]->check(path.at(), "fragment" + std::to_string(i));
      CHECK(clients[i]->mapped() == clients[i]->socket->boundTo());
    }
    CHECK(path.until([&] { return path.count<SessionLanded>() == 24; }));
    size_t sessions = 0;
    for (const auto& shard : path.report().shards) sessions += shard.sessions;
    CHECK(sessions >= 24);
  }
}

TEST_CASE("engine: a session answers from whichever shard its client's other addresses land on") {
  Path path(4);
  REQUIRE(path.engine->apply(spec(1, "fragment")));
  (void)path.report();
  // Eight addresses that the kernel spreads over four shards: all on one by chance once in 16,000.
  for (int i = 0; i < 8; ++i) {
    Client client;
    client.check(path.at(), "fragment");
    CHECK(client.mapped() == client.socket->boundTo());
  }
  CHECK(path.until([&] { return path.count<SessionLanded>() == 1; }));
  CHECK(path.count<SessionLanded>() == 1);
  CHECK(path.total(Counter::kHandedOver) > 0);
  const auto ticket = path.engine->askSession(SessionKey{1});
  REQUIRE(ticket.has_value());
  REQUIRE(path.until([&] { return !path.sessionReports.empty(); }));
  CHECK(path.sessionReports[0].first == *ticket);
  CHECK(path.sessionReports[0].second.session.has_value());
}

TEST_CASE("engine: what is dropped answers no more, what was never there has no snapshot") {
  Path path(2);
  REQUIRE(path.engine->apply(spec(1, "fragment")));
  (void)path.report();
  Client client;
  client.check(path.at(), "fragment");
  CHECK(client.mapped().has_value());
  REQUIRE(path.engine->drop(SessionKey{1}));
  CHECK(path.until([&] { return path.count<SessionClosed>() == 1; }));
  REQUIRE(path.engine->askSession(SessionKey{1}).has_value());
  REQUIRE(path.engine->askSession(SessionKey{77}).has_value());
  REQUIRE(path.until([&] { return path.sessionReports.size() == 2; }));
  for (const auto& [ticket, report] : path.sessionReports) CHECK_FALSE(report.session.has_value());
}

TEST_CASE("engine: drained, it keeps who has landed and takes nobody new") {
  Path path(2);
  REQUIRE(path.engine->apply(spec(1, "landed")));
  REQUIRE(path.engine->apply(spec(2, "waiting")));
  (void)path.report();
  Client landed;
  landed.check(path.at(), "landed");
  CHECK(landed.mapped().has_value());
  REQUIRE(path.engine->drain());
  REQUIRE(path.engine->apply(spec(3, "new")));
  (void)path.report();
  for (const char* fragment : {"waiting", "new"}) {
    Client client;
    client.check(path.at(), fragment);
    CHECK(path.until([&] {
      return std::ranges::any_of(path.events, [&](const Event& e) {
        const auto* unknown = std::get_if<UnknownUsernameFragment>(&e);
        return unknown != nullptr && unknown->usernameFragment == fragment;
      });
    }));
  }
  landed.check(path.at(), "landed");
  CHECK(landed.mapped().has_value());
}

TEST_CASE("engine: under a flood of rubbish from many addresses, orders are obeyed and calls answered") {
  for (const Backend backend : {Backend::kLinux, Backend::kPortable}) {
    Path path(3, backend);
    std::atomic<bool> flooding{true};
    std::atomic<uint64_t> flooded{0};
    std::vector<std::thread> floods;
    for (int f = 0; f < 2; ++f) {
      floods.emplace_back([&, f] {
        std::vector<std::unique_ptr<Client>> clients;
        for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<Client>());
        uint32_t state = static_cast<uint32_t>(f) + 1;
        while (flooding.load()) {
          std::vector<uint8_t> rubbish(64 * 16);
          for (auto& byte : rubbish) byte = static_cast<uint8_t>((state = state * 1'664'525 + 1'013'904'223) >> 24);
          for (auto& client : clients) client->send(path.at(), rubbish, 64);
          flooded.fetch_add(16 * clients.size());
        }
      });
    }
    bool obeyed = true;
    uint64_t last = 0;
    while (last < 200 || flooded.load() < 20'000) {
      ++last;
      obeyed = obeyed && path.engine->apply(spec(last, "fragment" + std::to_string(last)));
      if (last > 100) obeyed = obeyed && path.engine->drop(SessionKey{last - 100});
      if (last % 50 == 0) CHECK(path.report().shards.size() == 3);
    }
    CHECK(obeyed);
    Client client;
    bool answered = false;
    // The flood may fill the socket's buffer, then the check is asked again, as clients do.
    for (int tries = 0; tries < 5 && !answered; ++tries) {
      client.check(path.at(), "fragment" + std::to_string(last));
      answered = client.mapped().has_value();
    }
    CHECK(answered);
    flooding = false;
    for (auto& flood : floods) flood.join();

    uint64_t received = 0;
    uint64_t classed = 0;
    for (const auto& shard : path.report().shards) {
      received += shard.io.datagramsReceived;
      classed += shard.counters.of(Counter::kDatagramsIn);
      CHECK(shard.io.cpuUs > 0);
    }
    CHECK(received > 1'000);
    CHECK(received == classed);
  }
}

TEST_CASE("engine: it can end in the middle of everything") {
  for (int i = 0; i < 10; ++i) {
    std::atomic<bool> flooding{true};
    Address at;
    std::thread flood;
    {
      Path path(3);
      at = path.at();
      flood = std::thread([&] {
        Client client;
        const std::vector<uint8_t> rubbish(1'000, 0x80);
        while (flooding.load()) client.send(at, rubbish, 100);
      });
      for (uint64_t s = 1; s < 50; ++s) (void)path.engine->apply(spec(s, "fragment" + std::to_string(s)));
      (void)path.engine->askAll();
    }
    flooding = false;
    flood.join();
  }
}

TEST_CASE("engine: a port that is taken is one clear error, and nothing stays") {
  Path path(2);
  EngineConfig config;
  config.bind = path.engine->boundTo();
  config.shards = 2;
  config.shard.identity = identity();
  const auto opened = Engine::open(config, [] {});
  const auto* error = std::get_if<SocketError>(&opened);
  REQUIRE(error != nullptr);
  CHECK(error->failure == OpenFailure::kAddressInUse);
  CHECK(error->address == path.engine->boundTo()[0]);
}
