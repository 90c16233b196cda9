// Data channel messages between the clients of a group, over one shard and over two.
#include "core/data/held_messages.h"
#include "world.h"

using namespace sluice;
using namespace sluice::test;

namespace {

// A DataPacket with a chat message (field 9) of one letter, and a sequence (field 16).
Datagram packet(char letter, uint8_t sequence = 0, std::string_view destination = {}) {
  Datagram d{9 << 3 | 2, 1, static_cast<uint8_t>(letter)};
  if (sequence > 0) d.insert(d.end(), {0x80, 0x01, sequence});
  if (!destination.empty()) {
    d.insert(d.end(), {5 << 3 | 2, static_cast<uint8_t>(destination.size())});
    d.insert(d.end(), destination.begin(), destination.end());
  }
  return d;
}

std::string letters(const Client& c, std::string_view label) {
  std::string out;
  for (const auto& [l, bytes] : c.messages) {
    if (l != label) continue;
    // On the lossy channel `kind` goes first.
    out.push_back(static_cast<char>(bytes[bytes[0] == 8 ? 4 : 2]));
  }
  return out;
}

bool contains(const Datagram& d, std::string_view text) {
  return std::search(d.begin(), d.end(), text.begin(), text.end()) != d.end();
}

struct Room {
  explicit Room(size_t members, size_t shards = 1) : world(shards) {
    world.shardOf = [shards](const Address& a) { return (a.ip[3] - 2U) % shards; };
    for (size_t i = 0; i < members; ++i) {
      SessionSpec s = sessionSpec(i + 1);
      addData(s, 1);
      clients.push_back(&world.add(s));
    }
    for (Client* c : clients) c->connect();
    world.run(2 * kSecondUs);
    for (Client* c : clients) REQUIRE(c->channels.size() == 2);
  }
  World world;
  std::vector<Client*> clients;
};

}  // namespace

TEST_CASE(
    "data: a message reaches everyone of the group but its sender, on the label it came on, from its true sender") {
  for (size_t shards : {1U, 2U}) {
    Room room(4, shards);
    for (char letter : {'a', 'b', 'c'}) {
      CHECK(room.clients[0]->sendData("_reliable", packet(letter, static_cast<uint8_t>(letter))) ==
            sctp::SendResult::kOk);
    }
    CHECK(room.clients[0]->sendData("_lossy", packet('x')) == sctp::SendResult::kOk);
    room.world.run(kSecondUs);
    CHECK(room.clients[0]->messages.empty());
    for (size_t i = 1; i < 4; ++i) {
      CHECK(letters(*room.clients[i], "_reliable") == "abc");
      CHECK(letters(*room.clients[i], "_lossy") == "x");
      CHECK(contains(room.clients[i]->messages[0].second, "identity-1"));
      CHECK(contains(room.clients[i]->messages[0].second, "PA_1"));
    }
    CHECK(room.world.snapshot(SessionKey{1})->data.lastReliableSequence == 'c');
    CHECK(room.world.events<DataChannelOpened>().size() == 8);
  }
}

TEST_CASE("data: named destinations alone receive, by identity or by sid") {
  Room room(4, 2);
  (void)room.clients[0]->sendData("_reliable", packet('a', 1, "identity-2"));
  (void)room.clients[0]->sendData("_reliable", packet('b', 2, "PA_4"));
  room.world.run(kSecondUs);
  CHECK(letters(*room.clients[1], "_reliable") == "a");
  CHECK(letters(*room.clients[2], "_reliable").empty());
  CHECK(letters(*room.clients[3], "_reliable") == "b");
}

TEST_CASE("data: a participant's other session gets no echo either") {
  Room room(2);
  SessionSpec second = sessionSpec(9);
  second.participant = ParticipantKey{1};
  addData(second, 1);
  Client& other = room.world.add(second);
  room.world.connect({&other});
  (void)room.clients[0]->sendData("_reliable", packet('a'));
  room.world.run(kSecondUs);
  CHECK(other.messages.empty());
  CHECK(letters(*room.clients[1], "_reliable") == "a");
}

TEST_CASE("data: other groups hear nothing") {
  Room room(2);
  SessionSpec stranger = sessionSpec(9);
  addData(stranger, 2);
  Client& other = room.world.add(stranger);
  room.world.connect({&other});
  (void)room.clients[0]->sendData("_reliable", packet('a'));
  room.world.run(kSecondUs);
  CHECK(other.messages.empty());
}

TEST_CASE("data: who may not publish does not, who does not receive is left out, who hides has no name") {
  Room room(3);
  room.clients[0]->spec.data->publish = false;
  room.world.update(*room.clients[0]);
  (void)room.clients[0]->sendData("_reliable", packet('a'));
  room.world.run(kSecondUs);
  CHECK(room.world.total(DropReason::kDataNotAllowed) == 1);
  room.clients[2]->spec.data->receive = false;
  room.world.update(*room.clients[2]);
  room.clients[1]->spec.data->hidden = true;
  room.world.update(*room.clients[1]);
  (void)room.clients[1]->sendData("_reliable", packet('b'));
  room.world.run(kSecondUs);
  CHECK(room.clients[2]->messages.empty());
  REQUIRE(room.clients[0]->messages.size() == 1);
  CHECK_FALSE(contains(room.clients[0]->messages[0].second, "identity"));
  CHECK_FALSE(contains(room.clients[0]->messages[0].second, "PA_"));
}

TEST_CASE("data: reliable messages wait for a channel that is not open yet, lossy ones do not") {
  Room room(1);
  SessionSpec late = sessionSpec(5);
  addData(late, 1);
  late.data->channels.clear();  // the client will open them
  Client& c = room.world.add(late);
  room.world.connect({&c});
  for (char letter : {'a', 'b'}) (void)room.clients[0]->sendData("_reliable", packet(letter));
  (void)room.clients[0]->sendData("_lossy", packet('x'));
  room.world.run(kSecondUs);
  CHECK(c.messages.empty());
  CHECK(room.world.total(DropReason::kDataChannelClosed) == 1);
  (void)c.peer->openChannel({.label = "_lossy", .ordered = false, .maxRetransmits = 0}, room.world.now);
  room.world.run(100 * kMillisecondUs);
  CHECK(c.messages.empty());
  (void)c.peer->openChannel({.label = "_reliable"}, room.world.now);
  room.world.run(100 * kMillisecondUs);
  (void)room.clients[0]->sendData("_reliable", packet('c'));
  room.world.run(100 * kMillisecondUs);
  CHECK(letters(c, "_reliable") == "abc");
}

TEST_CASE("data: what waits too long is dropped") {
  Room room(1);
  SessionSpec late = sessionSpec(5);
  addData(late, 1);
  late.data->channels.clear();
  Client& c = room.world.add(late);
  room.world.connect({&c});
  (void)room.clients[0]->sendData("_reliable", packet('a'));
  room.world.run(data::HeldMessages::kMaxWaitUs + kSecondUs);
  CHECK(room.world.total(DropReason::kDataHeldExpired) == 1);
  (void)c.peer->openChannel({.label = "_reliable"}, room.world.now);
  room.world.run(kSecondUs);
  CHECK(c.messages.empty());
}

TEST_CASE("data: a slow receiver loses nothing reliable, and holds nobody up") {
  Room room(3);
  Client& slow = *room.clients[2];
  room.world.loses = [&](Bytes, const Address& client, bool toServer) { return toServer && client == slow.address; };
  Datagram big(60'000, 'z');
  big[0] = 9 << 3 | 2;
  big[1] = 0xDC, big[2] = 0xD4, big[3] = 0x03;  // 59996 bytes
  for (int i = 0; i < 40; ++i) {
    CHECK(room.clients[0]->sendData("_reliable", big) == sctp::SendResult::kOk);
    room.world.run(50 * kMillisecondUs);
  }
  CHECK(room.clients[1]->messages.size() == 40);
  CHECK(slow.messages.size() < 40);
  room.world.loses = nullptr;
  room.world.run(60 * kSecondUs);
  CHECK(slow.messages.size() == 40);
}

TEST_CASE("data: messages from one byte to 64 KB pass in order through a network that loses") {
  Room room(2);
  std::mt19937 random(8);
  room.world.delayUs = 10 * kMillisecondUs;
  room.world.loses = [&](Bytes, const Address&, bool) { return random() % 50 == 0; };
  std::vector<Datagram> sent;
  for (size_t size : {1U, 100U, 1'200U, 15'000U, 64'000U, 3U, 40'000U}) {
    Datagram body(size, static_cast<uint8_t>(size));
    Datagram d{9 << 3 | 2};
    for (size_t v = size;; v >>= 7) {
      d.push_back(static_cast<uint8_t>((v & 0x7F) | (v >= 0x80 ? 0x80 : 0)));
      if (v < 0x80) break;
    }
    d.insert(d.end(), body.begin(), body.end());
    sent.push_back(d);
    CHECK(room.clients[0]->sendData("_reliable", d) == sctp::SendResult::kOk);
  }
  room.world.run(60 * kSecondUs);
  REQUIRE(room.clients[1]->messages.size() == sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    const Datagram& got = room.clients[1]->messages[i].second;
    REQUIRE(got.size() > sent[i].size());
    CHECK(std::equal(sent[i].begin(), sent[i].end(), got.begin()));
  }
}

TEST_CASE("data: a client that resumes with a new session takes its place in the group") {
  Room room(2, 2);
  room.world.drop(SessionKey{2});
  SessionSpec again = sessionSpec(7);
  addData(again, 1);
  Client& c = room.world.add(again);
  room.world.connect({&c});
  (void)room.clients[0]->sendData("_reliable", packet('a'));
  room.world.run(kSecondUs);
  CHECK(letters(c, "_reliable") == "a");
}
