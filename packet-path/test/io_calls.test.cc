// Calls between real clients through a packet path on several threads: what one publishes, all others get, whichever
// shard each of them landed on.
#include <doctest/doctest.h>
#include <sys/random.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/dtls/context.h"
#include "io/address.h"
#include "io/clock.h"
#include "io/engine.h"
#include "peer/peer.h"

using namespace sluice;
using namespace sluice::io;

namespace {

constexpr const char* kPassword = "password-of-22-letters";
constexpr TrackKey kTrack{1'000};
constexpr Ssrc kPublishedSsrc = 5;

struct Certificate {
  dtls::IdentityPem pem;
  std::unique_ptr<dtls::Context> context;
  Fingerprint fingerprint;
};

const Certificate& certificate() {
  static const Certificate made = [] {
    Certificate out;
    const auto pem = dtls::generateIdentity(0, 36'500);
    REQUIRE(pem.has_value());
    out.pem = *pem;
    out.context = dtls::Context::create(pem->certificate, pem->privateKey);
    out.fingerprint = *out.context->fingerprint("sha-256");
    return out;
  }();
  return made;
}

CodecSpec vp8(uint8_t payloadType) {
  CodecSpec codec;
  codec.payloadType = payloadType;
  codec.codec = Codec::kVp8;
  return codec;
}

/// A client on a socket of its own.
class Caller final : public peer::PeerSink, private DatagramSink {
 public:
  Caller(uint64_t number, const Address& server)
      : name_("caller" + std::to_string(number)), slab_(kMaxBurstBytes), socket_(open()) {
    peer::PeerConfig config;
    config.server = server;
    config.ice.local = {"mine", kPassword};
    config.ice.remote = {name_, kPassword};
    config.remoteFingerprints = {certificate().fingerprint};
    config.data.emplace();
    config.channels = {{.label = "_reliable"}};
    peer::PeerSink& sink = *this;
    peer_ = std::make_unique<peer::Peer>(std::move(config), *certificate().context, sink);
    peer_->start(monotonicUs());
  }

  [[nodiscard]] std::shared_ptr<SessionSpec> spec(uint64_t number) const {
    auto out = std::make_shared<SessionSpec>();
    out->session = SessionKey{number};
    out->participant = ParticipantKey{number};
    out->generation = 1;
    out->localCredentials = {{name_, kPassword}};
    out->remoteFingerprints = {certificate().fingerprint};
    out->data.emplace();
    out->data->group = GroupKey{1};
    out->data->participantSid = "PA_" + name_;
    out->data->participantIdentity = name_;
    out->data->publish = out->data->receive = true;
    out->data->channels.emplace_back().label = "_reliable";
    return out;
  }

  /// Everything that has arrived, and everything that is due.
  void step() {
    const TimeUs nowUs = monotonicUs();
    batch_.clear();
    socket_->receive(buffer_, batch_, counters_);
    for (const auto& d : batch_) {
      Address from = d.from;
      from.via = 0;
      peer_->receive(d.bytes, from, nowUs);
    }
    if (peer_->nextDeadline() <= nowUs) peer_->onDeadline(nowUs);
  }

  void publish(uint16_t seq) {
    uint8_t packet[200] = {0x80, 0x80 | 96};
    writeU16(packet + 2, seq);
    writeU32(packet + 4, seq * 3'000U);
    writeU32(packet + 8, kPublishedSsrc);
    packet[12] = 0x10;  // RFC 7741: a key frame begins
    writeU16(packet + 20, seq);
    peer_->sendRtp(Bytes(packet));
  }

  [[nodiscard]] bool isConnected() const { return connected_; }
  [[nodiscard]] bool hasEnded() const { return ended_; }
  [[nodiscard]] const std::map<SeqNo, uint16_t>& got() const { return got_; }

 private:
  std::unique_ptr<Socket> open() {
    auto opened = openSocket(kDefaultBackend, SocketOptions{.bind = *parseAddress("127.0.0.1", 0)}, ends_);
    REQUIRE(std::holds_alternative<std::unique_ptr<Socket>>(opened));
    return std::move(std::get<std::unique_ptr<Socket>>(opened));
  }

  [[nodiscard]] DatagramSink& datagrams() override { return *this; }
  void random(MutableBytes out) override { (void)::getentropy(out.data(), out.size()); }
  void connected(bool media) override { connected_ = media; }
  void rtp(Bytes packet) override {
    if (packet.size() < 22 || (packet[0] & 0x10) != 0) return;
    const SeqNo seq =
        got_.empty() ? readU16(packet.data() + 2) : extendSeq(readU16(packet.data() + 2), got_.rbegin()->first);
    got_[seq] = readU16(packet.data() + 20);
  }
  void rtcp(Bytes) override {}
  void channelOpened(sctp::StreamId, const sctp::ChannelSpec&) override {}
  void channelClosed(sctp::StreamId) override {}
  void message(const sctp::Message&) override {}
  void writable() override {}
  void ended(peer::EndReason) override { ended_ = true; }

  [[nodiscard]] MutableBytes reserve(size_t bytes) override { return {slab_.data(), bytes}; }
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override {
    SendPatience patience;
    socket_->send(to, nullptr, {slab_.data(), bytes}, segmentBytes, patience, counters_);
  }

  std::string name_;
  std::vector<uint8_t> slab_;
  LocalEnds ends_;
  std::unique_ptr<Socket> socket_;
  ReceiveBuffer buffer_;
  IoCounters counters_;
  std::vector<ReceivedDatagram> batch_;
  bool connected_ = false;
  bool ended_ = false;
  std::map<SeqNo, uint16_t> got_;  ///< by the sequence number seen, the one that was published
  std::unique_ptr<peer::Peer> peer_;
};

/// A packet path, one caller who publishes and others who subscribe.
struct Call {
  Call(Backend backend, size_t shards, uint64_t count) {
    EngineConfig config;
    config.bind = {*parseAddress("127.0.0.1", 0)};
    config.shards = shards;
    config.backend = backend;
    config.shard.identity = {certificate().pem.certificate, certificate().pem.privateKey};
    auto opened = Engine::open(config, [] {});
    REQUIRE(std::holds_alternative<std::unique_ptr<Engine>>(opened));
    engine = std::move(std::get<std::unique_ptr<Engine>>(opened));
    for (uint64_t i = 1; i <= count; ++i) {
      callers.push_back(std::make_unique<Caller>(i, engine->boundTo()[0]));
      const auto spec = callers.back()->spec(i);
      if (i == 1) {
        IncomingTrackSpec track;
        track.track = kTrack;
        track.kind = MediaKind::kVideo;
        track.codecs = {vp8(96)};
        track.streams.emplace_back().ssrc = kPublishedSsrc;
        spec->incoming = {track};
      } else {
        OutgoingTrackSpec track;
        track.track = kTrack;
        track.kind = MediaKind::kVideo;
        track.ssrc = static_cast<Ssrc>(100 + i);
        track.codecs = {vp8(100)};
        spec->outgoing = {track};
      }
      REQUIRE(engine->apply(spec));
    }
  }

  /// Steps everyone until `isSo`, or for as long as `limitUs`; whether it was so.
  template <typename Condition>
  bool until(const Condition& isSo, TimeUs limitUs = 20 * kSecondUs) {
    const TimeUs endUs = monotonicUs() + limitUs;
    while (monotonicUs() < endUs) {
      for (const auto& caller : callers) caller->step();
      (void)engine->take();
      if (isSo()) return true;
    }
    return false;
  }

  std::unique_ptr<Engine> engine;
  std::vector<std::unique_ptr<Caller>> callers;
};

}  // namespace

TEST_CASE("calls: what one publishes, everyone on every shard gets, complete and in a row of its own") {
  for (const Backend backend : {Backend::kLinux, Backend::kPortable}) {
    Call call(backend, 3, 9);
    REQUIRE(call.until([&] { return std::ranges::all_of(call.callers, [](auto& c) { return c->isConnected(); }); }));
    // Until everyone's subscription has begun, then a hundred that nobody may miss.
    uint16_t seq = 0;
    const auto subscribers = std::span(call.callers).subspan(1);
    const auto everyoneGot = [&] {
      return std::ranges::all_of(subscribers,
                                 [&](auto& c) { return !c->got().empty() && c->got().rbegin()->second == seq; });
    };
    REQUIRE(call.until([&] {
      call.callers[0]->publish(++seq);
      return call.until(everyoneGot, 20 * kMillisecondUs);  // no flood: a full queue may drop
    }));
    const uint16_t first = static_cast<uint16_t>(seq + 1);
    for (int i = 0; i < 100; ++i) {
      call.callers[0]->publish(++seq);
      (void)call.until([] { return false; }, 1'000);
    }
    CHECK(call.until(everyoneGot));
    for (const auto& subscriber : subscribers) {
      // From any one to the next, both numbers go up by one.
      SeqNo expected = 0;
      uint16_t published = 0;
      size_t complete = 0;
      for (const auto& [out, in] : subscriber->got()) {
        if (in >= first && out == expected && in == published) ++complete;
        expected = out + 1;
        published = static_cast<uint16_t>(in + 1);
      }
      CHECK(complete == 100);
    }
  }
}

TEST_CASE("calls: everything may end while everybody speaks") {
  for (int round = 0; round < 3; ++round) {
    Call call(kDefaultBackend, 3, 6);
    REQUIRE(call.until([&] { return std::ranges::all_of(call.callers, [](auto& c) { return c->isConnected(); }); }));
    uint16_t seq = 0;
    (void)call.until(
        [&] {
          call.callers[0]->publish(++seq);
          return false;
        },
        50 * kMillisecondUs);
    // One session goes by itself, the rest with the engine.
    CHECK(call.engine->drop(SessionKey{2}));
    call.callers[0]->publish(++seq);
    call.engine.reset();
  }
}
