// Every reason to drop something has a way to happen: no counter is for show.
#include <functional>

#include "core/data/held_messages.h"
#include "core/stun_waiting_room.h"
#include "world.h"

using namespace sluice;
using namespace sluice::test;

namespace {

constexpr Ssrc kIn = 100;
constexpr Ssrc kInRtx = 101;
constexpr Ssrc kOut = 300;

Datagram stun(const SessionSpec& spec, std::string_view password) {
  Datagram out(wire::kMaxStunBytes);
  wire::BindingRequest request;
  const std::string username = spec.localCredentials.front().usernameFragment + ":client";
  request.username = username;
  out.resize(wire::writeBindingRequest(out, request, wire::stunKey(password)));
  return out;
}

/// A publisher and a subscriber, connected, with data; on one shard or two.
struct Scene {
  explicit Scene(size_t shards = 1, ShardConfig config = {}) : world(shards, config) {
    world.shardOf = [shards](const Address& a) { return (a.ip[3] - 2U) % shards; };
    SessionSpec p = sessionSpec(1);
    p.incoming = {videoIn(1, kIn, kInRtx)};
    addData(p, 1);
    SessionSpec s = sessionSpec(2);
    s.outgoing = {videoOut(1, kOut, kOut + 1)};
    addData(s, 1);
    publisher = &world.add(p);
    subscriber = &world.add(s);
    world.connect({publisher, subscriber});
  }
  void frame(bool key) {
    publisher->send(vp8Frame(kIn, seq, seq * 1'000U, key));
    seq = static_cast<uint16_t>(seq + 3);
    world.settle();
  }
  void nack(uint16_t number) {
    subscriber->sendRtcp([&](wire::RtcpWriter& w) { w.nack(1, kOut, std::array{number}); });
    world.settle();
  }
  void say(const std::string& label, const Datagram& bytes) {
    (void)publisher->sendData(label, bytes);
    world.run(200 * kMillisecondUs);
  }
  /// Flips a bit of every datagram of a class on its way to the server.
  void damage(wire::DatagramClass kind, size_t at) {
    world.alters = [kind, at](Datagram& d) {
      if (wire::classify(d) == kind && at < d.size()) d[d.size() - 1 - at] ^= 1;
    };
  }

  World world;
  Client* publisher = nullptr;
  Client* subscriber = nullptr;
  uint16_t seq = 1;
};

Rtp repair(uint16_t seq, Datagram payload) {
  Rtp r = vp8Frame(kInRtx, seq, 0, false, 1)[0];
  r.payloadType = 97;
  r.payload = std::move(payload);
  return r;
}

const Datagram kMessage{9 << 3 | 2, 1, 'm'};

using Reach = std::function<uint64_t(DropReason)>;

Reach alone(std::function<void(Scene&)> act) {
  return [act = std::move(act)](DropReason reason) {
    Scene scene;
    act(scene);
    return scene.world.total(reason);
  };
}
Reach apart(std::function<void(Scene&)> act) {
  return [act = std::move(act)](DropReason reason) {
    Scene scene(2);
    act(scene);
    return scene.world.total(reason);
  };
}

const std::map<DropReason, Reach>& ways() {
  static const std::map<DropReason, Reach> all{
      {DropReason::kUnclassified, alone([](Scene& s) {
         s.world.inject(addressOf(9, 9), {{100, 1, 2}});
       })},
      {DropReason::kDatagramTooLarge,
       alone([](Scene& s) { s.world.inject(addressOf(9, 9), {Datagram(Packet::kCapacity + 1, 0x80)}); })},
      {DropReason::kUnknownAddress, alone([](Scene& s) { s.world.inject(addressOf(9, 9), {opus(1, 1, 1).bytes()}); })},
      {DropReason::kStunMalformed, alone([](Scene& s) {
         Datagram d = stun(s.publisher->spec, "x");
         d[3] = 1;  // a length that is not
         s.world.inject(addressOf(9, 9), {d});
       })},
      {DropReason::kStunUnauthenticated,
       alone([](Scene& s) { s.world.inject(addressOf(9, 9), {stun(s.publisher->spec, "x")}); })},
      {DropReason::kStunPendingFull, alone([](Scene& s) {
         for (uint64_t i = 100; i < 101 + StunWaitingRoom::kMaxChecks; ++i) {
           s.world.inject(addressOf(9, 9), {stun(sessionSpec(i), "x")});
         }
       })},
      {DropReason::kStunPendingExpired, alone([](Scene& s) {
         s.world.inject(addressOf(9, 9), {stun(sessionSpec(100), "x")});
         s.world.run(2 * kSecondUs);
       })},
      {DropReason::kSessionEnded, alone([](Scene& s) {
         s.publisher->peer->close();
         s.world.settle();
         s.world.inject(s.publisher->address, {stun(s.publisher->spec, "x")});
       })},
      {DropReason::kPoolEmpty,
       [](DropReason reason) {
         ShardConfig config;
         config.maxPackets = 64;
         Scene scene(1, config);
         scene.publisher->send(vp8Frame(kIn, 1, 0, true, 200));
         scene.world.settle();
         return scene.world.total(reason);
       }},
      {DropReason::kShardQueueFull, apart([](Scene& s) {
         s.frame(true);
         s.world.mailboxLimit = 0;
         s.frame(false);
       })},
      {DropReason::kStaleHandover, apart([](Scene& s) {
         // The publisher moves to an address of the other shard, which hands over; then its session ends.
         s.publisher->moveTo(addressOf(3, 6'000));
         s.world.run(10 * kSecondUs);
         s.world.mailboxLimit = 0;  // nobody can be told
         s.world.drop(SessionKey{1});
         s.world.mailboxLimit = 1'000;
         s.world.inject(s.publisher->address, {opus(1, 1, 1).bytes()});
       })},
      {DropReason::kDtlsRefused, alone([](Scene& s) {
         s.damage(wire::DatagramClass::kDtls, 0);
         s.say("_reliable", kMessage);
       })},
      {DropReason::kSctpRefused, alone([](Scene& s) {
         s.publisher->spec.data.reset();  // the client does not know yet
         s.world.update(*s.publisher);
         s.say("_reliable", kMessage);
       })},
      {DropReason::kNotConnected, alone([](Scene& s) {
         const SessionSpec spec = sessionSpec(5);
         s.world.announce(spec);
         const Datagram check = stun(spec, spec.localCredentials[0].password);
         s.world.inject(addressOf(9, 9), {check});
         s.world.inject(addressOf(9, 9), {opus(1, 1, 1).bytes()});
       })},
      {DropReason::kSrtpMalformed, alone([](Scene& s) {
         s.world.inject(s.publisher->address, {{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2}});
       })},
      {DropReason::kSrtpUnauthenticated, alone([](Scene& s) {
         s.damage(wire::DatagramClass::kRtp, 0);
         s.frame(true);
       })},
      {DropReason::kSrtpReplayed, alone([](Scene& s) {
         std::vector<Datagram> copies;
         s.world.alters = [&](Datagram& d) {
           if (wire::classify(d) == wire::DatagramClass::kRtp) copies.push_back(d);
         };
         s.frame(true);
         s.world.alters = nullptr;
         s.world.inject(s.publisher->address, copies);
       })},
      {DropReason::kRtpMalformed, alone([](Scene& s) {
         Datagram d = vp8Frame(kIn, 1, 0, true, 1)[0].bytes();
         d[0] |= 0x20;  // padding
         d.back() = 0;  // that does not count itself
         s.publisher->peer->sendRtp(d);
         s.world.settle();
       })},
      {DropReason::kRtpUnknownSource, alone([](Scene& s) {
         s.publisher->send(opus(9'999, 1, 1));
         s.world.settle();
       })},
      {DropReason::kRtpUnknownPayloadType, alone([](Scene& s) {
         s.publisher->send(opus(kIn, 1, 1));
         s.world.settle();
       })},
      {DropReason::kRtpDuplicate, alone([](Scene& s) {
         s.frame(true);
         s.publisher->send(repair(1, {0, 2, 0x10, 0}));  // repairs what was not lost
         s.world.settle();
       })},
      {DropReason::kRtpTooOld, alone([](Scene& s) {
         s.frame(true);
         s.publisher->send(repair(1, {0x40, 0, 0x10, 0}));
         s.world.settle();
       })},
      {DropReason::kRtxMalformed, alone([](Scene& s) {
         s.frame(true);
         s.publisher->send(repair(1, {1}));
         s.world.settle();
       })},
      {DropReason::kRtxPadding, alone([](Scene& s) {
         s.frame(true);
         s.publisher->send(repair(1, {}));
         s.world.settle();
       })},
      {DropReason::kRtcpMalformed, alone([](Scene& s) {
         s.publisher->peer->sendRtcp(Datagram{0x81, 206, 0, 200, 0, 0, 0, 1, 0, 0, 0, 2});
         s.world.settle();
       })},
      {DropReason::kNoCommonFormat, alone([](Scene& s) {
         s.subscriber->spec.outgoing[0].codecs[0].codec = Codec::kVp9;
         s.world.update(*s.subscriber);
         s.frame(true);
       })},
      {DropReason::kWaitingForKeyFrame, alone([](Scene& s) { s.frame(false); })},
      {DropReason::kOtherEncoding,
       [](DropReason reason) {
         World world;
         SessionSpec p = sessionSpec(1);
         p.incoming = {videoIn(1, 1)};
         p.incoming[0].streams = {{1, {}, "q"}, {2, {}, "f"}};
         SessionSpec s = sessionSpec(2);
         s.outgoing = {videoOut(1, kOut)};
         Client& publisher = world.add(p);
         world.connect({&publisher, &world.add(s)});
         publisher.send(vp8Frame(2, 1, 0, true));
         publisher.send(vp8Frame(1, 1, 0, true));
         world.settle();
         return world.total(reason);
       }},
      {DropReason::kOtherLayer, alone([](Scene& s) {
         s.frame(true);
         auto padding = vp8Frame(kIn, 10, 0, false, 1);
         padding[0].payload.clear();
         s.publisher->send(padding);
         s.world.settle();
       })},
      {DropReason::kUnknownLayer, alone([](Scene& s) {
         s.frame(true);
         auto cut = vp8Frame(kIn, 10, 0, false, 1);
         cut[0].payload = {0x80};  // extended, by nothing
         s.publisher->send(cut);
         s.world.settle();
       })},
      {DropReason::kPaused, alone([](Scene& s) {
         s.subscriber->spec.outgoing[0].paused = true;
         s.world.update(*s.subscriber);
         s.frame(true);
       })},
      {DropReason::kLateForSwitch, alone([](Scene& s) {
         auto frame = vp8Frame(kIn, 10, 0, true, 2);
         s.publisher->send(vp8Frame(kIn, 8, 0, false, 1));
         s.publisher->send(frame);
         s.publisher->send(vp8Frame(kIn, 9, 0, false, 1));
         s.world.settle();
       })},
      {DropReason::kBurstRefused, alone([](Scene& s) {
         s.world.refuseBursts = true;
         s.frame(true);
       })},
      {DropReason::kSealFailed, alone([](Scene& s) {
         s.frame(true);
         s.world.refuseBursts = true;  // no room for feedback either
         s.publisher->send(vp8Frame(kIn, 10, 0, false, 1));
         s.world.settle();
       })},
      {DropReason::kNackedUnknown, alone([](Scene& s) {
         s.frame(true);
         s.nack(static_cast<uint16_t>(s.subscriber->packets[0].seq - 100));
       })},
      {DropReason::kNackedGone, alone([](Scene& s) {
         s.frame(true);
         s.world.run(3 * kSecondUs);
         s.nack(s.subscriber->packets[0].seq);
       })},
      {DropReason::kNackedTooOften, alone([](Scene& s) {
         s.frame(true);
         for (int i = 0; i < 2; ++i) s.nack(s.subscriber->packets[0].seq);
       })},
      {DropReason::kDataMalformed, alone([](Scene& s) { s.say("_reliable", {0xFF}); })},
      {DropReason::kDataNotAllowed, alone([](Scene& s) {
         s.publisher->spec.data->publish = false;
         s.world.update(*s.publisher);
         s.say("_reliable", kMessage);
       })},
      {DropReason::kDataUnknownLabel, alone([](Scene& s) {
         (void)s.publisher->peer->openChannel({.label = "private"}, s.world.now);
         s.world.run(200 * kMillisecondUs);
         s.say("private", kMessage);
       })},
      {DropReason::kDataTooLarge,
       [](DropReason reason) {
         World world;
         SessionSpec p = sessionSpec(1);
         addData(p, 1);
         SessionSpec s = sessionSpec(2);
         addData(s, 1);
         s.data->remoteMaxMessageBytes = 10;
         Client& publisher = world.add(p);
         world.connect({&publisher, &world.add(s)});
         (void)publisher.sendData("_reliable", kMessage);
         world.run(200 * kMillisecondUs);
         return world.total(reason);
       }},
      {DropReason::kDataChannelClosed, alone([](Scene& s) {
         s.subscriber->peer->closeChannel(s.subscriber->channels["_lossy"], s.world.now);
         s.world.run(200 * kMillisecondUs);
         s.say("_lossy", kMessage);
       })},
      {DropReason::kDataHeldFull, alone([](Scene& s) {
         s.subscriber->peer->closeChannel(s.subscriber->channels["_reliable"], s.world.now);
         s.world.run(200 * kMillisecondUs);
         for (size_t i = 0; i <= data::HeldMessages::kMaxMessages; ++i) {
           (void)s.publisher->sendData("_reliable", kMessage);
         }
         s.world.run(kSecondUs);
       })},
      {DropReason::kDataHeldExpired, alone([](Scene& s) {
         s.subscriber->peer->closeChannel(s.subscriber->channels["_reliable"], s.world.now);
         s.world.run(200 * kMillisecondUs);
         s.say("_reliable", kMessage);
         s.world.run(data::HeldMessages::kMaxWaitUs + kSecondUs);
       })},
      {DropReason::kDataSendRefused, alone([](Scene& s) {
         s.world.loses = [&](Bytes, const Address& client, bool toServer) {
           return toServer && client == s.subscriber->address;
         };
         Datagram big(15'000, 'z');
         big[0] = 9 << 3 | 2;
         big[1] = 0x95, big[2] = 0x75;  // 14997 bytes
         for (int i = 0; i < 50; ++i) {
           (void)s.publisher->sendData("_lossy", big);
           s.world.run(20 * kMillisecondUs);
         }
       })},
  };
  return all;
}

}  // namespace

TEST_CASE("drop reasons: each can happen, and is counted when it does") {
  for (size_t i = 0; i < kDropReasons; ++i) {
    CAPTURE(kDropReasonNames[i]);
    const auto way = ways().find(static_cast<DropReason>(i));
    REQUIRE(way != ways().end());
    CHECK(way->second(way->first) > 0);
  }
}

TEST_CASE("counters: each has a name of its own") {
  std::map<std::string, int> names;
  for (const char* name : kDropReasonNames) ++names[name];
  for (const char* name : kCounterNames) ++names[name];
  CHECK(names.size() == kDropReasons + kCounters);
}
