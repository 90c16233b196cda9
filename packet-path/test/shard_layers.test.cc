// Layers on the whole way through the shards: what is chosen, rewritten, sealed, and sent again.
#include <array>
#include <map>
#include <vector>

#include "core/wire/vp8_descriptor.h"
#include "world.h"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr Ssrc kOut = 5'000;
constexpr Ssrc kOutRtx = 5'001;

/// A publisher of VP8 in two encodings with two temporal layers each, whose picture ids and TL0PICIDX count apart.
struct Simulcast {
  explicit Simulcast(bool rtx = true, size_t shards = 1) : world(shards) {
    world.shardOf = [shards](const Address& a) { return (a.ip[3] - 2U) % shards; };
    SessionSpec p = sessionSpec(1);
    p.incoming = {videoIn(1, 0)};
    p.incoming[0].streams = {{100, {}, "q"}, {101, {}, "f"}};
    SessionSpec s = sessionSpec(2);
    s.outgoing = {videoOut(1, kOut, rtx ? std::optional<Ssrc>(kOutRtx) : std::nullopt)};
    publisher = &world.add(p);
    subscriber = &world.add(s);
    world.connect({publisher, subscriber});
  }

  /// A picture of the encodings that are `sent`, each a key frame if it was asked for.
  void picture(std::array<bool, 2> sent = {true, true}) {
    for (size_t e = 0; e < 2; ++e) {
      if (!sent[e]) continue;
      const Ssrc ssrc = static_cast<Ssrc>(100 + e);
      const bool key = std::erase(publisher->plis, ssrc) > 0;
      if (key) phase[e] = 0;
      const bool base = phase[e]++ % 2 == 0;
      if (base) ++tl0[e];
      auto frame = vp8Frame(ssrc, seqs[e], static_cast<uint32_t>(world.now * 9 / 100), key, 2);
      for (size_t i = 0; i < frame.size(); ++i) {
        wire::Vp8Descriptor d;
        d.startsPartition = i == 0;
        d.pictureId = pictures[e];
        d.longPictureId = e == 1;
        d.tl0PicIdx = tl0[e];
        d.temporalLayer = static_cast<uint8_t>(base ? 0 : 1);
        std::array<uint8_t, wire::kMaxVp8DescriptorBytes> front{};
        const size_t bytes = wire::writeVp8Descriptor(d, front);
        Datagram payload(front.begin(), front.begin() + static_cast<ptrdiff_t>(bytes));
        payload.push_back(key ? 0x10 : 0x11);
        payload.push_back(static_cast<uint8_t>(e));
        payload.resize(400, static_cast<uint8_t>(seqs[e] + i));
        frame[i].payload = payload;
      }
      seqs[e] = static_cast<uint16_t>(seqs[e] + 2);
      pictures[e] = static_cast<uint16_t>((pictures[e] + 1) % (e == 1 ? 1 << 15 : 1 << 7));
      publisher->send(frame);
    }
    world.run(33'333);
  }

  World world;
  Client* publisher = nullptr;
  Client* subscriber = nullptr;
  std::array<uint16_t, 2> seqs{10, 65'500};
  std::array<uint16_t, 2> pictures{120, 32'760};
  std::array<uint8_t, 2> tl0{9, 200};
  std::array<int, 2> phase{};
};

/// A call in which the higher encoding goes away and comes back.
void run(Simulcast& call) {
  for (int i = 0; i < 40; ++i) call.picture();
  for (int i = 0; i < 40; ++i) call.picture({true, false});
  for (int i = 0; i < 40; ++i) call.picture();
}

uint8_t encodingOf(const Rtp& packet) {
  return packet.payload[wire::parseVp8Descriptor(packet.payload)->size + 1U];
}

}  // namespace

TEST_CASE("layers on their way: picture ids and TL0PICIDX count on through changes of encoding, on either shard") {
  for (const size_t shards : {1U, 2U}) {
    CAPTURE(shards);
    Simulcast call(true, shards);
    run(call);
    const auto got = call.subscriber->of(kOut);
    REQUIRE(got.size() > 200);
    std::map<uint8_t, int> shown;
    for (size_t i = 1; i < got.size(); ++i) {
      REQUIRE(got[i].seq == static_cast<uint16_t>(got[i - 1].seq + 1));
      const auto d = wire::parseVp8Descriptor(got[i].payload);
      const auto before = wire::parseVp8Descriptor(got[i - 1].payload);
      REQUIRE(d);
      REQUIRE(before);
      ++shown[encodingOf(got[i])];
      const uint16_t cycle = before->longPictureId && d->longPictureId ? 0x7FFF : 0x7F;
      const auto ahead = static_cast<uint16_t>((*d->pictureId - *before->pictureId) & cycle);
      CHECK(ahead == (d->startsFrame() ? 1 : 0));
      const auto ahead0 = static_cast<uint8_t>(*d->tl0PicIdx - *before->tl0PicIdx);
      CHECK(ahead0 == (d->startsFrame() && *d->temporalLayer == 0 ? 1 : 0));
    }
    CHECK(shown[0] > 40);
    CHECK(shown[1] > 80);
  }
}

TEST_CASE("layers on their way: what is sent again is what was sent, byte for byte, whatever was rewritten") {
  Simulcast call;
  run(call);
  const auto got = call.subscriber->of(kOut);
  REQUIRE(got.size() > 100);
  const std::vector<Rtp> last(got.end() - 20, got.end());
  call.subscriber->sendRtcp([&](wire::RtcpWriter& w) {
    std::vector<uint16_t> lost;
    for (const Rtp& p : last) lost.push_back(p.seq);
    w.nack(1, kOut, lost);
  });
  call.world.settle();
  const auto again = call.subscriber->of(kOutRtx);
  REQUIRE(again.size() == last.size());
  for (size_t i = 0; i < last.size(); ++i) {
    CHECK(readU16(again[i].payload.data()) == last[i].seq);
    CHECK(Datagram(again[i].payload.begin() + 2, again[i].payload.end()) == last[i].payload);
    CHECK(again[i].timestamp == last[i].timestamp);
    CHECK(again[i].marker == last[i].marker);
  }
}

TEST_CASE("layers on their way: without a retransmission stream the same datagram comes again, or none") {
  Simulcast call(false);
  std::map<uint16_t, Datagram> first;  // by number
  size_t again = 0;
  call.world.loses = [&](Bytes datagram, const Address& client, bool toServer) {
    if (toServer || !(client == call.subscriber->address)) return false;
    if (wire::classify(datagram) != wire::DatagramClass::kRtp || readU32(datagram.data() + 8) != kOut) return false;
    const auto [at, fresh] = first.try_emplace(readU16(datagram.data() + 2), datagram.begin(), datagram.end());
    if (!fresh) {
      ++again;
      CHECK(at->second == Datagram(datagram.begin(), datagram.end()));
    }
    return false;
  };
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 12; ++i) call.picture({true, round % 2 == 0});
    const auto got = call.subscriber->of(kOut);
    call.subscriber->sendRtcp([&](wire::RtcpWriter& w) {
      std::vector<uint16_t> lost;
      for (size_t i = got.size() - std::min<size_t>(got.size(), 60); i < got.size(); ++i) lost.push_back(got[i].seq);
      w.nack(1, kOut, lost);
    });
    call.world.settle();
  }
  CHECK(again > 100);
}

TEST_CASE("layers on their way: a client gets the layer that it wishes, whatever else there is") {
  Simulcast call;
  const auto wish = [&](uint8_t spatial, uint8_t maxFps) {
    call.subscriber->spec.outgoing[0].wish.spatial = spatial;
    call.subscriber->spec.outgoing[0].wish.maxFps = maxFps;
    call.world.update(*call.subscriber);
    for (int i = 0; i < 45; ++i) call.picture();
    call.subscriber->packets.clear();
    for (int i = 0; i < 30; ++i) call.picture();
  };
  const auto shows = [&](uint8_t encoding, size_t frames) {
    const auto got = call.subscriber->of(kOut);
    CHECK(got.size() == 2 * frames);
    for (const Rtp& p : got) CHECK(encodingOf(p) == encoding);
  };
  const auto told = [&] { return call.world.snapshot(call.subscriber->spec.session)->outgoing[0]; };
  wish(0, 0);
  shows(0, 30);
  REQUIRE(told().layer);
  CHECK(told().layer->spatial == 0);
  CHECK(told().layer->temporal == 1);
  const uint64_t switches = told().layerSwitches;
  wish(TrackWish::kHighest, 0);
  shows(1, 30);
  CHECK(told().layerSwitches == switches + 1);
  CHECK(told().target.spatial == 1);
  CHECK(told().keyFrames > 0);
  CHECK(told().frames > 100);
  CHECK(call.world.total(Counter::kLayerSwitches) == told().layerSwitches);
  wish(1, 15);
  shows(1, 15);
  wish(0, 20);
  shows(0, 15);
  wish(1, 60);
  shows(1, 30);
}
