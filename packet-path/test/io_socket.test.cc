// Real sockets on loopback. Both backends pass the same cases.
#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "io/address.h"
#include "io/clock.h"
#include "io/socket.h"

using namespace sluice;
using namespace sluice::io;

namespace {

Address address(const char* ip, uint16_t port = 0) {
  const auto parsed = parseAddress(ip, port);
  REQUIRE(parsed.has_value());
  return *parsed;
}

/// One socket with everything it needs to be used alone.
struct Lone {
  Lone(Backend backend, const SocketOptions& options) : waiter(makeWaiter(backend)) {
    auto opened = openSocket(backend, options, ends);
    if (auto* error = std::get_if<SocketError>(&opened)) {
      failure = *error;
      return;
    }
    socket = std::move(std::get<std::unique_ptr<Socket>>(opened));
    waiter->watch(*socket);
  }
  Lone(Backend backend, const char* ip) : Lone(backend, SocketOptions{.bind = address(ip)}) { REQUIRE(socket); }

  [[nodiscard]] Address at() const { return socket->boundTo(); }

  void send(const Address& to, std::vector<uint8_t> bytes, size_t segmentBytes) {
    SendPatience patience;
    socket->send(to, ends.at(to.via), bytes, segmentBytes, patience, counters);
  }

  struct Got {
    Address from;
    std::vector<uint8_t> bytes;
  };
  /// Everything that comes until `count` datagrams are there, or nothing more has come for a second.
  std::vector<Got> receive(size_t count) {
    std::vector<Got> all;
    std::vector<ReceivedDatagram> batch;
    while (all.size() < count && waiter->wait(kSecondUs) != 0) {
      batch.clear();
      socket->receive(buffer, batch, counters);
      for (const auto& d : batch) all.push_back({d.from, {d.bytes.begin(), d.bytes.end()}});
    }
    return all;
  }

  LocalEnds ends;
  std::unique_ptr<Waiter> waiter;
  std::unique_ptr<Socket> socket;
  std::optional<SocketError> failure;
  ReceiveBuffer buffer;
  IoCounters counters;
};

/// Bytes whose place in the burst can be told.
std::vector<uint8_t> pattern(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 251);
  return bytes;
}

constexpr Backend kBackends[] = {Backend::kLinux, Backend::kPortable};

bool hasIpv6() {
  Lone probe(Backend::kPortable, SocketOptions{.bind = address("::1")});
  return probe.socket != nullptr;
}

}  // namespace

TEST_CASE("address: text and back, and a mapped IPv4 address is IPv4") {
  CHECK(addressText(address("192.0.2.7", 7882)) == "192.0.2.7:7882");
  CHECK(addressText(address("2001:DB8::1", 7882)) == "[2001:db8::1]:7882");
  CHECK(address("::ffff:192.0.2.7", 9) == address("192.0.2.7", 9));
  CHECK_FALSE(parseAddress("192.0.2", 1));
  CHECK_FALSE(parseAddress("localhost", 1));
  CHECK_FALSE(parseAddress("fe80::1%eth0", 1));
  CHECK_FALSE(parseAddress(std::string(300, '1'), 1));
  CHECK_FALSE(parseAddress("", 1));
  for (const char* text : {"192.0.2.7:7882", "[2001:db8::1]:7882", "0.0.0.0:0", "[::]:65535"}) {
    const auto parsed = parseAddressText(text);
    REQUIRE(parsed.has_value());
    CHECK(addressText(*parsed) == text);
  }
  for (const char* text : {"", ":", "192.0.2.7", "192.0.2.7:", "192.0.2.7:65536", "192.0.2.7:-1", "192.0.2.7:1x",
                           "::1:5", "[192.0.2.7]:5", "[::1]", "[]:5", "[::1:5"}) {
    CHECK_FALSE_MESSAGE(parseAddressText(text), text);
  }
}

TEST_CASE("socket: a burst arrives as its segments, from and to either backend") {
  for (const Backend from : kBackends) {
    for (const Backend to : kBackends) {
      Lone sender(from, "127.0.0.1");
      Lone receiver(to, "127.0.0.1");
      const auto burst = pattern(1'200 * 15 + 77);
      sender.send(receiver.at(), burst, 1'200);
      const auto got = receiver.receive(16);
      REQUIRE(got.size() == 16);
      for (size_t i = 0; i < 16; ++i) {
        CHECK(got[i].bytes.size() == (i < 15 ? 1'200 : 77));
        CHECK(std::equal(got[i].bytes.begin(), got[i].bytes.end(), burst.begin() + static_cast<ptrdiff_t>(i * 1'200)));
        Address source = got[i].from;
        source.via = 0;
        CHECK(source == sender.at());
      }
      CHECK(sender.counters.datagramsSent == 16);
      CHECK(sender.counters.bytesSent == burst.size());
      CHECK(receiver.counters.datagramsReceived == 16);
      CHECK(receiver.counters.bytesReceived == burst.size());
      if (from == Backend::kLinux) CHECK_MESSAGE(sender.counters.sendCalls == 1, "one system call a burst");
    }
  }
}

TEST_CASE("socket: the longest burst the sink takes arrives whole") {
  for (const Backend from : kBackends) {
    Lone sender(from, "127.0.0.1");
    Lone receiver(kDefaultBackend, SocketOptions{.bind = address("127.0.0.1"), .receiveBufferBytes = 1 << 20});
    const auto burst = pattern(1'015 * 64);
    sender.send(receiver.at(), burst, 1'015);
    CHECK(receiver.receive(64).size() == 64);
  }
}

TEST_CASE("socket: single datagrams, the smallest and the largest UDP knows") {
  for (const Backend backend : kBackends) {
    Lone sender(backend, "127.0.0.1");
    Lone receiver(backend, "127.0.0.1");
    for (const size_t size : {1U, 1'472U, 65'000U}) {
      sender.send(receiver.at(), pattern(size), size);
      const auto got = receiver.receive(1);
      REQUIRE(got.size() == 1);
      CHECK(got[0].bytes == pattern(size));
    }
  }
}

TEST_CASE("socket: more than one receive takes says that more waits") {
  for (const Backend backend : kBackends) {
    Lone receiver(backend, SocketOptions{.bind = address("127.0.0.1"), .receiveBufferBytes = 1 << 20});
    // From different sockets, so that nothing is joined.
    std::vector<std::unique_ptr<Lone>> senders;
    for (size_t i = 0; i < ReceiveBuffer::kSlots + 5; ++i) {
      senders.push_back(std::make_unique<Lone>(backend, "127.0.0.1"));
      senders.back()->send(receiver.at(), pattern(100), 100);
    }
    std::vector<ReceivedDatagram> batch;
    CHECK(receiver.waiter->wait(kSecondUs) == 1);
    CHECK(receiver.socket->receive(receiver.buffer, batch, receiver.counters));
    CHECK(batch.size() == ReceiveBuffer::kSlots);
    CHECK_FALSE(receiver.socket->receive(receiver.buffer, batch, receiver.counters));
    CHECK(batch.size() == ReceiveBuffer::kSlots + 5);
  }
}

TEST_CASE("socket: IPv6 likewise, and a dual-stack socket sees IPv4 as IPv4") {
  if (!hasIpv6()) return;
  for (const Backend backend : kBackends) {
    Lone six(backend, "::1");
    Lone four(backend, "127.0.0.1");
    Lone both(backend, SocketOptions{.bind = address("::"), .dualStack = true});
    REQUIRE(both.socket);
    CHECK(both.socket->reaches(four.at()));
    CHECK_FALSE(six.socket->reaches(four.at()));

    six.send(address("::1", both.at().port), pattern(300), 100);
    four.send(address("127.0.0.1", both.at().port), pattern(300), 100);
    const auto got = both.receive(6);
    REQUIRE(got.size() == 6);
    CHECK(got[0].from.family == 6);
    CHECK(got[5].from.family == 4);
    CHECK(got[5].from.port == four.at().port);

    both.send(got[5].from, pattern(100), 50);
    both.send(got[0].from, pattern(100), 50);
    const auto answer = four.receive(2);
    REQUIRE(answer.size() == 2);
    CHECK(ipText(answer[0].from) == "127.0.0.1");
    CHECK(six.receive(2).size() == 2);
  }
}

TEST_CASE("socket: bound to a wildcard, it answers from the address that was asked") {
  for (const Backend backend : kBackends) {
    std::vector<const char*> wildcards{"0.0.0.0"};
    if (hasIpv6()) wildcards.push_back("::");
    for (const char* wildcard : wildcards) {
      Lone server(backend, SocketOptions{.bind = address(wildcard), .dualStack = true});
      Lone client(backend, "127.0.0.1");
      // All of 127/8 is this machine; the kernel's own choice of source would be 127.0.0.1 for each.
      for (const char* ip : {"127.0.0.1", "127.0.0.2", "127.3.2.1"}) {
        client.send(address(ip, server.at().port), pattern(10), 10);
        const auto asked = server.receive(1);
        REQUIRE(asked.size() == 1);
        server.send(asked[0].from, pattern(30), 10);
        const auto answered = client.receive(3);
        REQUIRE(answered.size() == 3);
        for (const auto& a : answered) CHECK(ipText(a.from) == ip);
      }
    }
  }
}

TEST_CASE("socket: a port in use is refused, even where its owner shares it among its shards") {
  for (const Backend backend : kBackends) {
    Lone founder(backend, SocketOptions{.bind = address("127.0.0.1"), .sharing = PortSharing::kFounder});
    REQUIRE(founder.socket);
    Lone follower(backend, SocketOptions{.bind = founder.at(), .sharing = PortSharing::kFollower});
    CHECK(follower.socket);
    for (const PortSharing sharing : {PortSharing::kAlone, PortSharing::kFounder}) {
      Lone stranger(backend, SocketOptions{.bind = founder.at(), .sharing = sharing});
      REQUIRE(stranger.failure.has_value());
      CHECK(stranger.failure->failure == OpenFailure::kAddressInUse);
      CHECK(stranger.failure->code == EADDRINUSE);
      CHECK(stranger.failure->address == founder.at());
    }
  }
}

TEST_CASE("socket: an address of another machine is refused as such") {
  Lone elsewhere(kDefaultBackend, SocketOptions{.bind = address("192.0.2.1")});
  REQUIRE(elsewhere.failure.has_value());
  CHECK(elsewhere.failure->failure == OpenFailure::kAddressNotAvailable);
}

TEST_CASE("socket: shards that share a port each get their senders, and together all of them") {
  for (const Backend backend : kBackends) {
    Lone founder(backend, SocketOptions{.bind = address("127.0.0.1"), .sharing = PortSharing::kFounder});
    REQUIRE(founder.socket);
    Lone follower(backend, SocketOptions{.bind = founder.at(), .sharing = PortSharing::kFollower});
    REQUIRE(follower.socket);
    std::set<uint16_t> sent;
    std::vector<std::unique_ptr<Lone>> senders;
    for (int i = 0; i < 40; ++i) {
      senders.push_back(std::make_unique<Lone>(backend, "127.0.0.1"));
      senders.back()->send(founder.at(), pattern(20), 10);
      sent.insert(senders.back()->at().port);
    }
    std::set<uint16_t> first;
    std::set<uint16_t> second;
    std::vector<ReceivedDatagram> batch;
    const auto drain = [&](Lone& shard, std::set<uint16_t>& into) {
      do {
        batch.clear();
        shard.socket->receive(shard.buffer, batch, shard.counters);
        for (const auto& d : batch) into.insert(d.from.port);
      } while (!batch.empty());
    };
    drain(founder, first);
    drain(follower, second);
    // By chance 2^-39 that one gets nothing.
    CHECK_FALSE(first.empty());
    CHECK_FALSE(second.empty());
    std::set<uint16_t> all = first;
    all.insert(second.begin(), second.end());
    CHECK(all == sent);
    CHECK_MESSAGE(first.size() + second.size() == all.size(), "a sender's datagrams stay with one shard");
  }
}

TEST_CASE("socket: whoever is not there any more disturbs nobody else") {
  for (const Backend backend : kBackends) {
    Lone sender(backend, "127.0.0.1");
    Lone receiver(backend, "127.0.0.1");
    Address gone;
    {
      Lone shortLived(backend, "127.0.0.1");
      gone = shortLived.at();
    }
    for (int i = 0; i < 5; ++i) {
      sender.send(gone, pattern(100), 50);
      sender.send(receiver.at(), pattern(100), 50);
    }
    CHECK(receiver.receive(10).size() == 10);
    std::vector<ReceivedDatagram> batch;
    sender.socket->receive(sender.buffer, batch, sender.counters);
    CHECK(batch.empty());
  }
}

TEST_CASE("socket: a destination that cannot be is counted, by datagram") {
  for (const Backend backend : kBackends) {
    Lone sender(backend, "127.0.0.1");
    // Port 0 is no port; nor is there a way from loopback to another machine.
    sender.send(address("127.0.0.1", 0), pattern(100), 50);
    sender.send(address("192.0.2.1", 9), pattern(100), 50);
    CHECK(sender.counters.datagramsSent == 0);
    CHECK(sender.counters.sendFailed == 4);
  }
}

TEST_CASE("socket: what the kernel drops for want of buffer is told") {
  Lone sender(Backend::kLinux, "127.0.0.1");
  Lone receiver(Backend::kLinux, SocketOptions{.bind = address("127.0.0.1"), .receiveBufferBytes = 4'096});
  for (int i = 0; i < 50; ++i) sender.send(receiver.at(), pattern(1'200), 1'200);
  const size_t got = receiver.receive(50).size();
  CHECK(got < 50);
  CHECK(got + receiver.socket->overflows() == 50);
}

TEST_CASE("socket: a buffer is as large as was asked, or says how large it is") {
  for (const Backend backend : kBackends) {
    Lone socket(backend, SocketOptions{.bind = address("127.0.0.1"), .receiveBufferBytes = 1 << 20});
    CHECK(socket.socket->receiveBufferBytes() > 0);
    CHECK(socket.socket->receiveBufferBytes() <= 1 << 20);
    CHECK(socket.socket->sendBufferBytes() > 0);
  }
}

TEST_CASE("waiter: times out when it should and not before") {
  for (const Backend backend : kBackends) {
    const auto waiter = makeWaiter(backend);
    const TimeUs from = monotonicUs();
    CHECK(waiter->wait(1'500) == 0);
    CHECK(monotonicUs() - from >= 1'500);
    waiter->wake();
    CHECK(waiter->wait(kNever) == 0);
  }
}
