// Once it is warm the packet path takes nothing from the heap: counted, for the thread and the time that a shard is at
// work.
#include <cstdlib>
#include <new>

#include "world.h"

using namespace sluice;
using namespace sluice::test;

namespace {

thread_local uint64_t allocations = 0;

void* take(size_t bytes) {
  if (inShard) ++allocations;
  if (void* p = std::malloc(bytes == 0 ? 1 : bytes)) return p;
  throw std::bad_alloc();
}

}  // namespace

// The program's own, for all its tests: counting costs nothing where no shard is at work.
void* operator new(size_t bytes) {
  return take(bytes);
}
void* operator new[](size_t bytes) {
  return take(bytes);
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete[](void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, size_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, size_t) noexcept {
  std::free(p);
}

TEST_CASE("allocation: none per packet, with loss, repair, reports and feedback, on one shard and across two") {
  for (size_t shards : {1U, 2U}) {
    CAPTURE(shards);
    World world(shards);
    world.shardOf = [shards](const Address& a) { return (a.ip[3] - 2U) % shards; };
    world.delayUs = 5 * kMillisecondUs;
    SessionSpec p = sessionSpec(1);
    p.incoming = {videoIn(1, 100, 101), audioIn(2, 200)};
    std::vector<Client*> clients{&world.add(p)};
    for (uint64_t i = 0; i < 10; ++i) {
      SessionSpec s = sessionSpec(10 + i);
      s.outgoing = {videoOut(1, 300, 301), audioOut(2, 400)};
      clients.push_back(&world.add(s));
    }
    for (Client* c : clients) c->connect();
    world.run(2 * kSecondUs);

    std::mt19937 random(6);
    world.loses = [&](Bytes d, const Address&, bool) {
      return wire::classify(d) == wire::DatagramClass::kRtp && random() % 20 == 0;
    };
    Client& publisher = *clients[0];
    uint16_t seq = 0;
    uint16_t rtxSeq = 0;
    uint16_t transport = 0;
    std::map<uint16_t, Rtp> sent;
    const auto second = [&](bool key) {
      for (int frame = 0; frame < 30; ++frame) {
        auto packets = vp8Frame(100, seq, seq * 1'000U, key && frame == 0, 3);
        seq = static_cast<uint16_t>(seq + 3);
        for (Rtp& packet : packets) {
          packet.extensions = {
              {kTransportCcId, {static_cast<uint8_t>(transport >> 8), static_cast<uint8_t>(transport)}}};
          ++transport;
          sent[packet.seq] = packet;
        }
        publisher.send(packets);
        Rtp voice = opus(200, static_cast<uint16_t>(seq / 3), seq * 320U);
        voice.extensions = {{kAudioLevelId, {static_cast<uint8_t>(frame < 15 ? 10 : 100)}}};
        publisher.send(voice);
        for (const auto& [ssrc, lost] : std::exchange(publisher.nacked, {})) {
          if (ssrc != 100) continue;
          Rtp repair = sent[lost];
          repair.payloadType = 97;
          repair.ssrc = 101;
          repair.seq = rtxSeq++;
          repair.payload.insert(repair.payload.begin(), {static_cast<uint8_t>(lost >> 8), static_cast<uint8_t>(lost)});
          publisher.send(repair);
        }
        world.run(33'333);
      }
      publisher.sendRtcp([&](wire::RtcpWriter& w) {
        w.senderReport({100, static_cast<uint64_t>(world.now), seq * 1'000U, 0, 0}, {});
      });
      for (size_t i = 1; i < clients.size(); ++i) {
        Client& c = *clients[i];
        std::vector<uint16_t> lost;
        for (size_t j = 1; j < c.packets.size(); ++j) {
          if (c.packets[j].ssrc != 300 || c.packets[j - 1].ssrc != 300) continue;
          if (c.packets[j].seq == static_cast<uint16_t>(c.packets[j - 1].seq + 2)) {
            lost.push_back(static_cast<uint16_t>(c.packets[j].seq - 1));
          }
        }
        c.packets.clear();
        c.sendRtcp([&](wire::RtcpWriter& w) {
          wire::ReportBlock block;
          block.ssrc = 300;
          w.receiverReport(1, std::array{block});
          if (!lost.empty()) w.nack(1, 300, lost);
          w.pli(1, 300);
        });
      }
      world.run(20 * kMillisecondUs);
    };
    second(true);
    second(false);
    second(true);

    const auto before = [&](Counter c) { return world.total(c); };
    const std::array<uint64_t, 5> were{before(Counter::kRtpForwarded), before(Counter::kResentOut),
                                       before(Counter::kRecoveredIn), before(Counter::kRtcpOut),
                                       before(Counter::kKeyFramesAskedOut)};
    allocations = 0;
    for (int i = 0; i < 5; ++i) second(true);
    CHECK(allocations == 0);
    // And all of it did happen.
    CHECK(world.total(Counter::kRtpForwarded) - were[0] > 5 * 30 * 3 * 10);
    CHECK(world.total(Counter::kResentOut) - were[1] > 100);
    CHECK(world.total(Counter::kRecoveredIn) - were[2] > 5);
    CHECK(world.total(Counter::kRtcpOut) - were[3] > 50);
    CHECK(world.total(Counter::kKeyFramesAskedOut) - were[4] > 0);
  }
}
