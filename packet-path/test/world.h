// A packet path of one or more shards and its clients on virtual time, in one thread. Deterministic: everything follows
// from the seed. Clients are peer/'s; shards are the shipped ones.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/counters.h"
#include "core/dtls/context.h"
#include "core/shard.h"
#include "core/snapshot.h"
#include "core/wire/demux.h"
#include "core/wire/rtcp.h"
#include "core/wire/rtp.h"
#include "peer/peer.h"

namespace sluice::test {

using Datagram = std::vector<uint8_t>;

inline Address addressOf(uint32_t host, uint16_t port) {
  Address a;
  a.family = 4;
  a.ip[0] = 10;
  a.ip[1] = static_cast<uint8_t>(host >> 16);
  a.ip[2] = static_cast<uint8_t>(host >> 8);
  a.ip[3] = static_cast<uint8_t>(host);
  a.port = port;
  return a;
}

inline const Address kServer = addressOf(1, 7'882);

struct Certificate {
  dtls::IdentityPem pem;
  std::unique_ptr<dtls::Context> context;
};
/// Made once: it is the slow part of a test.
inline const Certificate& certificate(bool ofServer) {
  static const std::array<Certificate, 2> both = [] {
    std::array<Certificate, 2> c;
    for (Certificate& one : c) {
      one.pem = *dtls::generateIdentity(1'700'000'000);
      one.context = dtls::Context::create(one.pem.certificate, one.pem.privateKey);
    }
    return c;
  }();
  return both[ofServer ? 1 : 0];
}

/// An RTP packet as a test writes or reads it.
struct Rtp {
  uint8_t payloadType = 96;
  bool marker = false;
  uint16_t seq = 0;
  uint32_t timestamp = 0;
  Ssrc ssrc = 0;
  std::vector<std::pair<uint8_t, Datagram>> extensions;
  Datagram payload;
  size_t padding = 0;  ///< read only

  [[nodiscard]] Datagram bytes() const {
    Datagram out(1'900);
    wire::ExtensionForm form = wire::ExtensionForm::kOneByte;
    for (const auto& [id, data] : extensions) {
      if (wire::formFor(id, data.size()) == wire::ExtensionForm::kTwoByte) form = wire::ExtensionForm::kTwoByte;
    }
    wire::RtpHeaderWriter writer(out, form);
    writer.fixed(payloadType, marker, seq, timestamp, ssrc, false);
    for (const auto& [id, data] : extensions) (void)writer.add(id, data);
    out.resize(writer.finish());
    out.insert(out.end(), payload.begin(), payload.end());
    return out;
  }
  static Rtp read(Bytes packet) {
    const auto h = wire::parseRtp(packet);
    REQUIRE(h);
    Rtp r{h->payloadType, h->marker, h->seq, h->timestamp, h->ssrc, {}, {}, 0};
    wire::ExtensionReader reader(packet.subspan(h->extensionOffset, h->extensionSize), h->extensionForm);
    while (const auto e = reader.next()) r.extensions.emplace_back(e->id, Datagram(e->data.begin(), e->data.end()));
    const Bytes payload = packet.subspan(h->payloadOffset, h->payloadSize);
    r.payload.assign(payload.begin(), payload.end());
    r.padding = packet.size() - h->payloadOffset - h->payloadSize;
    return r;
  }
  [[nodiscard]] const Datagram* extension(uint8_t id) const {
    for (const auto& [other, data] : extensions) {
      if (other == id) return &data;
    }
    return nullptr;
  }
};

/// True while a shard of a world is at work, and not the world itself.
extern thread_local bool inShard;

class World;

/// One client: a peer with a memory.
class Client final : private peer::PeerSink, private DatagramSink {
 public:
  Client(World& world, Address at, SessionSpec sessionSpec);

  void connect();
  void send(const Rtp& packet) { peer->sendRtp(packet.bytes()); }
  /// All in one datagram batch.
  void send(const std::vector<Rtp>& batch) {
    for (const Rtp& p : batch) peer->sendRtp(p.bytes());
  }
  void sendRtcp(const std::function<void(wire::RtcpWriter&)>& write) {
    std::array<uint8_t, 1'200> buffer{};
    wire::RtcpWriter writer(buffer);
    write(writer);
    peer->sendRtcp(writer.written());
  }
  sctp::SendResult sendData(const std::string& label, Bytes bytes);
  /// Its NAT gives it another address; the next check tells.
  void moveTo(Address to);
  /// It is gone without a word.
  void vanish();

  [[nodiscard]] std::vector<Rtp> of(Ssrc ssrc) const {
    std::vector<Rtp> out;
    std::copy_if(packets.begin(), packets.end(), std::back_inserter(out),
                 [ssrc](const Rtp& r) { return r.ssrc == ssrc; });
    return out;
  }

  SessionSpec spec;
  std::optional<peer::Peer> peer;
  Address address;
  bool keepPackets = true;

  std::vector<Rtp> packets;
  std::vector<std::pair<Ssrc, uint16_t>> nacked;
  std::vector<Ssrc> plis;
  std::vector<wire::SenderInfo> senderReports;
  std::vector<std::string> names;
  std::vector<wire::ReportBlock> reports;
  std::vector<wire::TransportFeedbackReader::Status> transportFeedback;
  std::vector<std::pair<std::string, Datagram>> messages;  // label, bytes
  std::map<std::string, sctp::StreamId> channels;
  std::vector<sctp::ChannelSpec> wantedChannels;
  std::optional<peer::EndReason> endedWith;

 private:
  friend class World;
  DatagramSink& datagrams() override { return *this; }
  void random(MutableBytes out) override;
  void connected(bool) override {}
  void rtp(Bytes packet) override {
    if (keepPackets) packets.push_back(Rtp::read(packet));
  }
  void rtcp(Bytes compound) override;
  void channelOpened(sctp::StreamId stream, const sctp::ChannelSpec& c) override { channels[c.label] = stream; }
  void channelClosed(sctp::StreamId stream) override {
    std::erase_if(channels, [stream](const auto& c) { return c.second == stream; });
  }
  void message(const sctp::Message& m) override {
    for (const auto& [label, stream] : channels) {
      if (stream == m.stream) messages.emplace_back(label, Datagram(m.bytes.begin(), m.bytes.end()));
    }
  }
  void writable() override {}
  void ended(peer::EndReason reason) override { endedWith = reason; }
  MutableBytes reserve(size_t bytes) override {
    slab_.resize(bytes);
    return slab_;
  }
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override;

  World& world_;
  Datagram slab_;
};

/// The shards, the network and the clock.
class World {
 public:
  struct Burst {
    Address to;
    std::vector<size_t> segments;
  };
  struct Node;

  explicit World(size_t shards = 1, ShardConfig config = {});
  ~World();

  /// A client whose spec is announced already; connect() makes it come.
  Client& add(SessionSpec spec);
  void announce(const SessionSpec& spec);
  /// Announces the client's own spec, one generation on.
  void update(Client& client) {
    ++client.spec.generation;
    announce(client.spec);
  }
  void drop(SessionKey session);
  /// Until nothing happens before `untilUs`, which is then the time.
  void run(TimeUs forUs);
  /// Delivers what is on its way at this moment, and what that causes, without time passing.
  void settle() { run(0); }
  /// Connects clients and waits until they are.
  void connect(std::initializer_list<Client*> clients);

  [[nodiscard]] Shard& shard(size_t i = 0);
  [[nodiscard]] uint64_t total(Counter c) const;
  [[nodiscard]] uint64_t total(DropReason r) const;
  [[nodiscard]] std::optional<SessionSnapshot> snapshot(SessionKey session);
  template <typename T>
  [[nodiscard]] std::vector<T> events() const {
    std::vector<T> out;
    for (const Event& e : allEvents) {
      if (const T* t = std::get_if<T>(&e)) out.push_back(*t);
    }
    return out;
  }
  /// Gives a batch of datagrams from `from` to the shard that its address leads to.
  void inject(const Address& from, const std::vector<Datagram>& batch);

  TimeUs now = kSecondUs;
  TimeUs delayUs = 0;  ///< each way
  /// Which shard the kernel gives an address to; by hash unless set.
  std::function<size_t(const Address&)> shardOf;
  /// True: the network loses this datagram. `toServer` tells the way.
  std::function<bool(Bytes, const Address&, bool toServer)> loses;
  /// Changes datagrams on their way to the server.
  std::function<void(Datagram&)> alters;
  std::vector<Event> allEvents;
  std::vector<Burst> bursts;
  bool keepBursts = false;
  size_t mailboxLimit = 65'536;
  bool refuseBursts = false;
  std::mt19937_64 random;

 private:
  friend class Client;
  struct InFlight {
    Address from;
    Address to;
    Datagram bytes;
  };
  void carry(const Address& from, const Address& to, Bytes bytes);
  void deliver(TimeUs atUs);
  [[nodiscard]] TimeUs nextTime() const;

  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::multimap<TimeUs, InFlight> flying_;
  std::unordered_map<uint64_t, std::shared_ptr<SessionClaim>> claims_;
};

/// Video packets of one frame: all but the last `bytes` long, the last a little shorter, as libwebrtc cuts them.
std::vector<Rtp> vp8Frame(Ssrc ssrc, uint16_t firstSeq, uint32_t timestamp, bool key, size_t packets = 3,
                          size_t bytes = 1'100);
Rtp opus(Ssrc ssrc, uint16_t seq, uint32_t timestamp, size_t bytes = 80);

/// Specs as signaling would write them. `number` makes everything in it distinct.
SessionSpec sessionSpec(uint64_t number);
IncomingTrackSpec videoIn(uint64_t track, Ssrc ssrc, std::optional<Ssrc> rtx = {});
IncomingTrackSpec audioIn(uint64_t track, Ssrc ssrc);
OutgoingTrackSpec videoOut(uint64_t track, Ssrc ssrc, std::optional<Ssrc> rtx = {});
OutgoingTrackSpec audioOut(uint64_t track, Ssrc ssrc);
void addData(SessionSpec& spec, uint64_t group);

inline constexpr uint8_t kMidId = 4;
inline constexpr uint8_t kTransportCcId = 3;
inline constexpr uint8_t kAudioLevelId = 1;
inline constexpr uint8_t kSendTimeId = 2;
inline constexpr uint8_t kRidId = 10;
inline constexpr uint8_t kRepairedRidId = 11;
inline constexpr uint8_t kOrientationId = 13;
inline constexpr uint8_t kDescriptorId = 12;

}  // namespace sluice::test
