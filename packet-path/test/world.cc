#include "world.h"

#include "core/wire/stun.h"

namespace sluice::test {

thread_local bool inShard = false;

namespace {

struct Within {
  explicit Within(bool shard) : before(std::exchange(inShard, shard)) {}
  ~Within() { inShard = before; }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;
  bool before;
};

}  // namespace

// ── A shard and its ports ──

struct World::Node final : ShardWorld, private DatagramSink {
  Node(World& w, ShardConfig config) : world(w), index(config.index), shard(std::move(config), *this) {}

  DatagramSink& datagrams() override { return *this; }
  void event(Event&& e) override {
    const Within outside(false);
    world.allEvents.push_back(std::move(e));
  }
  bool post(ShardIndex to, ShardMessage&& message) override {
    const Within outside(false);
    REQUIRE(to < world.nodes_.size());
    REQUIRE(to != index);
    auto& box = world.nodes_[to]->inbox;
    if (box.size() >= world.mailboxLimit) return false;
    box.push_back(std::move(message));
    return true;
  }
  void random(MutableBytes out) override {
    for (uint8_t& b : out) b = static_cast<uint8_t>(world.random());
  }

  MutableBytes reserve(size_t bytes) override {
    if (bytes > kMaxBurstBytes || world.refuseBursts) return {};
    return MutableBytes(slab).first(bytes);
  }
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override {
    const Within outside(false);
    REQUIRE(bytes <= kMaxBurstBytes);
    REQUIRE(segmentBytes > 0);
    REQUIRE((bytes + segmentBytes - 1) / segmentBytes <= kMaxBurstSegments);
    if (world.keepBursts) world.bursts.push_back({to, {}});
    for (size_t at = 0; at < bytes; at += segmentBytes) {
      const size_t size = std::min(segmentBytes, bytes - at);
      if (world.keepBursts) world.bursts.back().segments.push_back(size);
      world.carry(kServer, to, Bytes(slab).subspan(at, size));
    }
  }

  World& world;
  ShardIndex index;
  std::vector<ShardMessage> inbox;
  Datagram slab = Datagram(kMaxBurstBytes);
  Shard shard;
};

World::World(size_t shards, ShardConfig config) : random(1) {
  const Certificate& c = certificate(true);
  config.shards = shards;
  config.identity = {c.pem.certificate, c.pem.privateKey};
  for (size_t i = 0; i < shards; ++i) {
    config.index = static_cast<ShardIndex>(i);
    nodes_.push_back(std::make_unique<Node>(*this, config));
  }
}

World::~World() {
  // Packets of one shard's pool lie in the histories and inboxes of others: all let go before any pool goes.
  for (const auto& node : nodes_) {
    for (const auto& [key, claim] : claims_) node->shard.drop(SessionKey{key}, now);
  }
  for (const auto& node : nodes_) node->inbox.clear();
}

Shard& World::shard(size_t i) {
  return nodes_[i]->shard;
}

uint64_t World::total(Counter c) const {
  uint64_t sum = 0;
  for (const auto& node : nodes_) sum += node->shard.counters().of(c);
  return sum;
}

uint64_t World::total(DropReason r) const {
  uint64_t sum = 0;
  for (const auto& node : nodes_) sum += node->shard.counters().of(r);
  return sum;
}

std::optional<SessionSnapshot> World::snapshot(SessionKey session) {
  SessionSnapshot out;
  for (const auto& node : nodes_) {
    if (node->shard.snapshot(session, now, out)) return out;
  }
  return {};
}

Client& World::add(SessionSpec spec) {
  announce(spec);
  const auto number = static_cast<uint32_t>(clients_.size() + 2);
  clients_.push_back(std::make_unique<Client>(*this, addressOf(number, 5'000), std::move(spec)));
  return *clients_.back();
}

void World::announce(const SessionSpec& spec) {
  auto& claim = claims_[static_cast<uint64_t>(spec.session)];
  if (!claim) claim = std::make_shared<SessionClaim>();
  const AnnouncedSpec announced{std::make_shared<const SessionSpec>(spec), claim};
  for (const auto& node : nodes_) node->shard.apply(announced, now);
}

void World::drop(SessionKey session) {
  for (const auto& node : nodes_) node->shard.drop(session, now);
}

void World::connect(std::initializer_list<Client*> clients) {
  for (Client* c : clients) c->connect();
  run(2 * kSecondUs);
  REQUIRE(std::all_of(clients.begin(), clients.end(), [](const Client* c) { return c->peer->connected(); }));
}

void World::carry(const Address& from, const Address& to, Bytes bytes) {
  if (loses && loses(bytes, to == kServer ? from : to, to == kServer)) return;
  InFlight d{from, to, Datagram(bytes.begin(), bytes.end())};
  if (alters && to == kServer) alters(d.bytes);
  flying_.emplace(now + delayUs, std::move(d));
}

void World::inject(const Address& from, const std::vector<Datagram>& batch) {
  for (const Datagram& d : batch) flying_.emplace(now, InFlight{from, kServer, d});
  settle();
}

TimeUs World::nextTime() const {
  TimeUs at = flying_.empty() ? kNever : flying_.begin()->first;
  for (const auto& node : nodes_) {
    at = std::min(at, node->inbox.empty() ? node->shard.nextDeadline() : now);
  }
  for (const auto& client : clients_) {
    if (client->peer) at = std::min(at, client->peer->nextDeadline());
  }
  return at;
}

void World::run(TimeUs forUs) {
  const TimeUs until = now + forUs;
  int atOnce = 0;
  while (true) {
    const TimeUs at = std::max(now, nextTime());
    if (at > until) break;
    atOnce = at == now ? atOnce + 1 : 0;
    REQUIRE(atOnce < 100'000);  // time must go on
    now = at;
    deliver(now);
  }
  now = until;
}

void World::deliver(TimeUs atUs) {
  std::vector<std::vector<InFlight>> batches(nodes_.size());
  std::vector<InFlight> toClients;
  while (!flying_.empty() && flying_.begin()->first <= atUs) {
    InFlight d = std::move(flying_.begin()->second);
    flying_.erase(flying_.begin());
    if (d.to == kServer) {
      const size_t shard = shardOf ? shardOf(d.from) : AddressHash{}(d.from) % nodes_.size();
      batches[shard].push_back(std::move(d));
    } else {
      toClients.push_back(std::move(d));
    }
  }
  for (size_t i = 0; i < nodes_.size(); ++i) {
    std::vector<ReceivedDatagram> batch;
    for (InFlight& d : batches[i]) batch.push_back({d.from, d.bytes});
    std::vector<ShardMessage> mail = std::exchange(nodes_[i]->inbox, {});
    const Within shard(true);
    if (!batch.empty()) nodes_[i]->shard.receive(batch, atUs);
    if (!mail.empty()) nodes_[i]->shard.receive(std::span<ShardMessage>(mail), atUs);
    if (nodes_[i]->shard.nextDeadline() <= atUs) nodes_[i]->shard.onDeadline(atUs);
  }
  for (InFlight& d : toClients) {
    for (const auto& client : clients_) {
      if (client->peer && client->address == d.to) client->peer->receive(d.bytes, d.from, atUs);
    }
  }
  for (const auto& client : clients_) {
    if (client->peer && client->peer->nextDeadline() <= atUs) client->peer->onDeadline(atUs);
  }
}

// ── A client ──

Client::Client(World& world, Address at, SessionSpec sessionSpec)
    : spec(std::move(sessionSpec)), address(at), world_(world) {}

void Client::connect() {
  peer::PeerConfig config;
  config.server = kServer;
  config.ice.local = {"client", "a password that is long enough"};
  config.ice.remote = spec.localCredentials.front();
  config.dtlsClient = spec.dtlsServer;
  config.remoteFingerprints = {*certificate(true).context->fingerprint("sha-256")};
  if (spec.data) {
    config.data.emplace();
    config.channels = wantedChannels;
  }
  peer::PeerSink& sink = *this;
  peer.emplace(config, *certificate(false).context, sink);
  peer->start(world_.now);
}

void Client::moveTo(Address to) {
  address = to;
}

void Client::vanish() {
  peer.reset();
}

sctp::SendResult Client::sendData(const std::string& label, Bytes bytes) {
  REQUIRE(channels.contains(label));
  return peer->send({channels[label], sctp::MessageKind::kBinary, bytes}, world_.now);
}

void Client::random(MutableBytes out) {
  for (uint8_t& b : out) b = static_cast<uint8_t>(world_.random());
}

void Client::commit(const Address& to, size_t bytes, size_t segmentBytes) {
  for (size_t at = 0; at < bytes; at += segmentBytes) {
    world_.carry(address, to, Bytes(slab_).subspan(at, std::min(segmentBytes, bytes - at)));
  }
}

void Client::rtcp(Bytes compound) {
  wire::RtcpReader reader(compound);
  while (const auto b = reader.next()) {
    if (b->type == wire::RtcpType::kSenderReport) senderReports.push_back(*wire::readSenderInfo(*b));
    if (b->type == wire::RtcpType::kSourceDescription) names.emplace_back(wire::readCanonicalName(*b)->name);
    if (b->type == wire::RtcpType::kReceiverReport || b->type == wire::RtcpType::kSenderReport) {
      wire::ReportBlocks blocks(*b);
      while (const auto block = blocks.next()) reports.push_back(*block);
    }
    if (b->type != wire::RtcpType::kTransportFeedback && b->type != wire::RtcpType::kPayloadFeedback) continue;
    const auto feedback = wire::readFeedback(*b);
    REQUIRE(feedback);
    if (b->type == wire::RtcpType::kPayloadFeedback) {
      plis.push_back(feedback->media);
    } else if (b->count == wire::kNackFormat) {
      wire::readNacks(feedback->control, [&](uint16_t seq) { nacked.emplace_back(feedback->media, seq); });
    } else {
      auto statuses = wire::TransportFeedbackReader::open(feedback->control);
      REQUIRE(statuses);
      while (const auto s = statuses->next()) transportFeedback.push_back(*s);
    }
  }
  REQUIRE_FALSE(reader.malformed());
}

// ── What tests send and announce ──

std::vector<Rtp> vp8Frame(Ssrc ssrc, uint16_t firstSeq, uint32_t timestamp, bool key, size_t packets, size_t bytes) {
  std::vector<Rtp> frame(packets);
  for (size_t i = 0; i < packets; ++i) {
    Rtp& p = frame[i];
    p.payloadType = 96;
    p.ssrc = ssrc;
    p.seq = static_cast<uint16_t>(firstSeq + i);
    p.timestamp = timestamp;
    p.marker = i + 1 == packets;
    p.payload.assign(bytes - (i + 1 == packets ? 3 : 0), static_cast<uint8_t>(firstSeq + i));
    p.payload[0] = i == 0 ? 0x10 : 0x00;  // RFC 7741: S only on the first
    p.payload[1] = key ? 0x00 : 0x01;
  }
  return frame;
}

Rtp opus(Ssrc ssrc, uint16_t seq, uint32_t timestamp, size_t bytes) {
  Rtp p;
  p.payloadType = 111;
  p.ssrc = ssrc;
  p.seq = seq;
  p.timestamp = timestamp;
  p.payload.assign(bytes, static_cast<uint8_t>(seq));
  return p;
}

SessionSpec sessionSpec(uint64_t number) {
  SessionSpec s;
  s.session = SessionKey{number};
  s.participant = ParticipantKey{number};
  s.generation = 1;
  s.localCredentials = {{"fragment" + std::to_string(number), "the password of session " + std::to_string(number)}};
  s.remoteFingerprints = {*certificate(false).context->fingerprint("sha-256")};
  s.extensions.set(wire::ExtensionKind::kMid, kMidId);
  s.extensions.set(wire::ExtensionKind::kTransportCc, kTransportCcId);
  s.extensions.set(wire::ExtensionKind::kAudioLevel, kAudioLevelId);
  s.extensions.set(wire::ExtensionKind::kAbsSendTime, kSendTimeId);
  s.extensions.set(wire::ExtensionKind::kRid, kRidId);
  s.extensions.set(wire::ExtensionKind::kRepairedRid, kRepairedRidId);
  s.extensions.set(wire::ExtensionKind::kVideoOrientation, kOrientationId);
  s.extensions.set(wire::ExtensionKind::kDependencyDescriptor, kDescriptorId);
  return s;
}

namespace {

CodecSpec vp8Codec() {
  return {96, Codec::kVp8, 90'000, 97, ""};
}
CodecSpec opusCodec() {
  return {111, Codec::kOpus, 48'000, {}, ""};
}

}  // namespace

IncomingTrackSpec videoIn(uint64_t track, Ssrc ssrc, std::optional<Ssrc> rtx) {
  IncomingTrackSpec t;
  t.track = TrackKey{track};
  t.kind = MediaKind::kVideo;
  t.mid = "v" + std::to_string(track);
  t.codecs = {vp8Codec()};
  t.streams = {{ssrc, rtx, ""}};
  t.nack = true;
  t.transportCc = true;
  return t;
}

IncomingTrackSpec audioIn(uint64_t track, Ssrc ssrc) {
  IncomingTrackSpec t;
  t.track = TrackKey{track};
  t.kind = MediaKind::kAudio;
  t.mid = "a" + std::to_string(track);
  t.codecs = {opusCodec()};
  t.streams = {{ssrc, {}, ""}};
  t.nack = true;
  return t;
}

OutgoingTrackSpec videoOut(uint64_t track, Ssrc ssrc, std::optional<Ssrc> rtx) {
  OutgoingTrackSpec t;
  t.track = TrackKey{track};
  t.kind = MediaKind::kVideo;
  t.mid = "r" + std::to_string(track);
  t.ssrc = ssrc;
  t.rtxSsrc = rtx;
  CodecSpec codec = vp8Codec();
  codec.payloadType = 106;
  codec.rtxPayloadType = rtx ? std::optional<uint8_t>(107) : std::nullopt;
  t.codecs = {codec};
  return t;
}

OutgoingTrackSpec audioOut(uint64_t track, Ssrc ssrc) {
  OutgoingTrackSpec t;
  t.track = TrackKey{track};
  t.kind = MediaKind::kAudio;
  t.mid = "r" + std::to_string(track);
  t.ssrc = ssrc;
  CodecSpec codec = opusCodec();
  codec.payloadType = 109;
  t.codecs = {codec};
  return t;
}

void addData(SessionSpec& spec, uint64_t group) {
  DataSpec data;
  data.group = GroupKey{group};
  const std::string number = std::to_string(static_cast<uint64_t>(spec.participant));
  data.participantSid = "PA_" + number;
  data.participantIdentity = "identity-" + number;
  data.publish = true;
  data.receive = true;
  data.channels = {{"_reliable", "", true, {}, {}, {}, true}, {"_lossy", "", false, 0, {}, {}, true}};
  spec.data = data;
}

}  // namespace sluice::test
