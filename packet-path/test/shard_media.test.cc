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
