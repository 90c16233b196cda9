#include "shard.h"

#include <algorithm>
#include <variant>

#include "directory.h"
#include "shard_context.h"
#include "snapshot.h"
#include "stun_waiting_room.h"
#include "wire/demux.h"

namespace sluice {

namespace {

// How often histories let go of packets of tracks that fell silent.
constexpr TimeUs kTrimIntervalUs = 500 * kMillisecondUs;

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace

struct Shard::State {
  State(ShardConfig c, ShardWorld& w)
      : config(std::move(c)),
        world(w),
        dtls(dtls::Context::create(config.identity.certificatePem, config.identity.privateKeyPem)),
        pool(config.maxPackets),
        interests(world, config.index, config.shards),
        fanOut(world, config.index, tracks, counters),
        groups(world, interests, counters),
        routes(world, config.index, counters) {}

  void apply(const AnnouncedSpec& announced, TimeUs nowUs);
  void drop(SessionKey key, TimeUs nowUs);
  void receive(const Address& from, Bytes bytes, ShardIndex landedOn, TimeUs nowUs);
  void receiveStun(const Address& from, Bytes bytes, ShardIndex landedOn, TimeUs nowUs);
  void receive(ShardMessage& message, TimeUs nowUs);
  void endOfBatch(TimeUs nowUs);
  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);

  [[nodiscard]] Session* sessionFor(Announced& entry, const wire::StunMessage& message, TimeUs nowUs);
  void dispatch(Session& session, wire::DatagramClass kind, Bytes bytes, TimeUs nowUs);
  void handOver(ShardIndex owner, const Address& from, Bytes bytes, ShardIndex landedOn);
  void wait(std::string_view fragment, Bytes bytes, const Address& from, ShardIndex landedOn, TimeUs nowUs);
  void interest(const Interest& interest);
  void reap(Session& session);

  ShardConfig config;
  ShardWorld& world;
  std::unique_ptr<dtls::Context> dtls;
  ShardCounters counters;
  PacketPool pool;
  Tracks tracks;
  Interests interests;
  FanOut fanOut;
  DataGroups groups;
  Deadlines deadlines;
  Routes routes;
  ShardContext context{config, world, dtls.get(), counters, pool, tracks, interests, fanOut, groups, deadlines};
  StunWaitingRoom waiting;
  TimeUs trimAtUs = kNever;
  size_t live = 0;      // sessions on this shard
  Directory directory;  // last: its sessions use all of the above until they are gone
};

// ── What should be ──

void Shard::State::apply(const AnnouncedSpec& announced, TimeUs nowUs) {
  const Directory::Change change = directory.apply(announced);
  if (change.entry == nullptr) return;
  const SessionSpec& spec = *announced.spec;
  if (change.before) {
    for (const IncomingTrackSpec& t : change.before->incoming) tracks.forgetHome(t.track);
  }
  for (const IncomingTrackSpec& t : spec.incoming) tracks.setHome(t.track, {spec.participant, announced.claim});
  if (change.entry->session) change.entry->session->apply(announced.spec, nowUs);
  for (const IceCredentials& c : spec.localCredentials) {
    waiting.take(c.usernameFragment, [&](const StunWaitingRoom::Check& check) {
      receiveStun(check.from, check.message(), check.landedOn, nowUs);
    });
  }
}

void Shard::State::drop(SessionKey key, TimeUs nowUs) {
  Announced* entry = directory.find(key);
  if (entry == nullptr) return;
  if (entry->session) {
    entry->session->drop(nowUs);
    reap(*entry->session);
  }
  for (const IncomingTrackSpec& t : entry->latest.spec->incoming) tracks.forgetHome(t.track);
  directory.erase(key);
}

// ── What arrives ──

void Shard::State::receive(const Address& from, Bytes bytes, ShardIndex landedOn, TimeUs nowUs) {
  counters.add(Counter::kDatagramsIn);
  counters.add(Counter::kBytesIn, bytes.size());
  if (bytes.size() > Packet::kCapacity) return counters.drop(DropReason::kDatagramTooLarge);
  const wire::DatagramClass kind = wire::classify(bytes);
  if (kind == wire::DatagramClass::kOther) return counters.drop(DropReason::kUnclassified);
  if (kind == wire::DatagramClass::kStun) return receiveStun(from, bytes, landedOn, nowUs);

  const Routes::Route* route = routes.find(from);
  const bool handed = landedOn != config.index;
  if (route != nullptr && route->session != nullptr) {
    dispatch(*route->session, kind, bytes, nowUs);
  } else if (handed) {
    counters.drop(DropReason::kStaleHandover);
    routes.disown(from, landedOn);
  } else if (route != nullptr) {
    handOver(route->shard, from, bytes, landedOn);
  } else {
    counters.drop(DropReason::kUnknownAddress);
  }
}

void Shard::State::dispatch(Session& session, wire::DatagramClass kind, Bytes bytes, TimeUs nowUs) {
  if (session.isOver()) return counters.drop(DropReason::kSessionEnded);
  switch (kind) {
    case wire::DatagramClass::kRtp:
      return session.receiveRtp(bytes, nowUs);
    case wire::DatagramClass::kRtcp:
      return session.receiveRtcp(bytes, nowUs);
    case wire::DatagramClass::kDtls:
      return session.receiveDtls(bytes, nowUs);
    case wire::DatagramClass::kStun:
    case wire::DatagramClass::kOther:
      return;
  }
}

void Shard::State::receiveStun(const Address& from, Bytes bytes, ShardIndex landedOn, TimeUs nowUs) {
  counters.add(Counter::kStunIn);
  const auto message = wire::StunMessage::parse(bytes);
  const std::string_view fragment = message ? message->receiverFragment() : std::string_view{};
  if (fragment.empty()) return counters.drop(DropReason::kStunMalformed);
  Announced* entry = directory.find(fragment);
  if (entry == nullptr) return wait(fragment, bytes, from, landedOn, nowUs);
  if (entry->hasEnded()) return counters.drop(DropReason::kSessionEnded);

  const int owner = entry->latest.claim->owner();
  if (owner != SessionClaim::kUnclaimed && owner != config.index) {
    if (landedOn != config.index) return counters.drop(DropReason::kStaleHandover);
    return handOver(static_cast<ShardIndex>(owner), from, bytes, landedOn);
  }
  if (Session* session = sessionFor(*entry, *message, nowUs)) {
    if (session->isOver()) return counters.drop(DropReason::kSessionEnded);
    session->receiveStun(*message, from, landedOn, nowUs);
  } else if (entry->latest.claim->owner() != SessionClaim::kUnclaimed) {
    handOver(static_cast<ShardIndex>(entry->latest.claim->owner()), from, bytes, landedOn);
  }
}

// The session, made when this check proves that its client is here. Null when it proves nothing, or another shard was
// faster.
Session* Shard::State::sessionFor(Announced& entry, const wire::StunMessage& message, TimeUs nowUs) {
  if (entry.session) return entry.session.get();
  const SessionSpec& spec = *entry.latest.spec;
  const std::string_view fragment = message.receiverFragment();
  const auto credentials = std::find_if(spec.localCredentials.begin(), spec.localCredentials.end(),
                                        [&](const IceCredentials& c) { return c.usernameFragment == fragment; });
  if (credentials == spec.localCredentials.end() || !message.hasIntegrity(wire::stunKey(credentials->password))) {
    counters.drop(DropReason::kStunUnauthenticated);
    return nullptr;
  }
  if (entry.latest.claim->claim(config.index) != config.index) return nullptr;
  entry.session = std::make_unique<Session>(entry.latest.spec, context, routes, nowUs);
  ++live;
  return entry.session.get();
}

void Shard::State::handOver(ShardIndex owner, const Address& from, Bytes bytes, ShardIndex landedOn) {
  PacketRef copy = pool.take();
  if (!copy) return counters.drop(DropReason::kPoolEmpty);
  std::copy(bytes.begin(), bytes.end(), copy.fill().bytes);
  copy.fill().size = static_cast<uint16_t>(bytes.size());
  if (world.post(owner, HandedDatagram{from, std::move(copy), landedOn})) {
    counters.add(Counter::kHandedOver);
  } else {
    counters.drop(DropReason::kShardQueueFull);
  }
}

void Shard::State::wait(std::string_view fragment, Bytes bytes, const Address& from, ShardIndex landedOn,
                        TimeUs nowUs) {
  switch (waiting.put(fragment, bytes, from, landedOn, nowUs)) {
    case StunWaitingRoom::Outcome::kWaits:
      return;
    case StunWaitingRoom::Outcome::kWaitsAndIsNew:
      return world.event(UnknownUsernameFragment{std::string(fragment), from});
    case StunWaitingRoom::Outcome::kRefused:
      return counters.drop(DropReason::kStunPendingFull);
  }
}

// ── What other shards say ──

void Shard::State::receive(ShardMessage& message, TimeUs nowUs) {
  std::visit(
      Overloaded{
          [&](HandedDatagram& m) { receive(m.from, Bytes(m.datagram->bytes, m.datagram->size), m.landedOn, nowUs); },
          [&](AddressOwned& m) { routes.heard(m); },
          [&](ForwardedPacket& m) {
            Track* track = tracks.find(m.track);
            if (track == nullptr) return counters.drop(DropReason::kStaleHandover);
            fanOut.add(*track, std::move(m.packet), FanOut::Origin::kOtherShard, nowUs);
          },
          [&](ForwardedClock& m) {
            if (Track* track = tracks.find(m.track)) track->setClock(m.encoding, m.clock);
          },
          [&](ForwardedData& m) { groups.deliver(m.message, nowUs); },
          [&](Interest& m) { interest(m); },
          [&](KeyFrameWanted& m) {
            Track* track = tracks.find(m.track);
            if (track != nullptr && track->publisher != nullptr) {
              fanOut.wantKeyFrame(*track, m.encoding, nowUs);
            }
          },
      },
      message);
}

void Shard::State::interest(const Interest& m) {
  if (m.shard >= kMaxShards || m.shard == config.index) return;
  if (const GroupKey* group = std::get_if<GroupKey>(&m.what)) return groups.interest(*group, m.shard, m.wanted);
  const TrackKey key = std::get<TrackKey>(m.what);
  Track& track = tracks.take(key);
  const uint64_t bit = uint64_t{1} << m.shard;
  track.wantedBy = m.wanted ? track.wantedBy | bit : track.wantedBy & ~bit;
  for (size_t i = 0; m.wanted && track.publisher != nullptr && i < track.clocks.size(); ++i) {
    if (!track.clocks[i].isSet()) continue;
    if (!world.post(m.shard, ForwardedClock{key, static_cast<uint8_t>(i), track.clocks[i]})) {
      counters.drop(DropReason::kShardQueueFull);
    }
  }
  tracks.release(key);
}

// ── Time ──

void Shard::State::endOfBatch(TimeUs nowUs) {
  if (fanOut.run(nowUs) && trimAtUs == kNever) trimAtUs = nowUs + kTrimIntervalUs;
  onDeadline(nowUs);
}

TimeUs Shard::State::nextDeadline() const {
  return std::min({deadlines.next(), waiting.nextDeadline(), interests.nextDeadline(), trimAtUs});
}

void Shard::State::onDeadline(TimeUs nowUs) {
  while (Sleeper* sleeper = deadlines.due(nowUs)) {
    auto& session = static_cast<Session&>(*sleeper);  // nothing else sleeps on a shard
    if (!session.isOver()) session.onDeadline(nowUs);
    if (session.isOver()) reap(session);
  }
  counters.drop(DropReason::kStunPendingExpired, waiting.expire(nowUs));
  interests.onDeadline(nowUs);
  if (trimAtUs <= nowUs) trimAtUs = tracks.trim(nowUs) ? nowUs + kTrimIntervalUs : kNever;
}

void Shard::State::reap(Session& session) {
  Announced* entry = directory.find(session.key());
  entry->endedEpoch = entry->latest.spec->epoch;
  entry->session.reset();
  --live;
}

// ── The face ──

Shard::Shard(ShardConfig config, ShardWorld& world) : state_(std::make_unique<State>(std::move(config), world)) {}
Shard::~Shard() = default;

void Shard::apply(const AnnouncedSpec& announced, TimeUs nowUs) {
  state_->apply(announced, nowUs);
  state_->endOfBatch(nowUs);
}

void Shard::drop(SessionKey session, TimeUs nowUs) {
  state_->drop(session, nowUs);
  state_->endOfBatch(nowUs);
}

void Shard::receive(std::span<const ReceivedDatagram> batch, TimeUs nowUs) {
  for (const ReceivedDatagram& d : batch) state_->receive(d.from, d.bytes, state_->config.index, nowUs);
  state_->endOfBatch(nowUs);
}

void Shard::receive(std::span<ShardMessage> batch, TimeUs nowUs) {
  for (ShardMessage& message : batch) state_->receive(message, nowUs);
  state_->endOfBatch(nowUs);
}

TimeUs Shard::nextDeadline() const {
  return state_->nextDeadline();
}

void Shard::onDeadline(TimeUs nowUs) {
  state_->onDeadline(nowUs);
}

bool Shard::snapshot(SessionKey session, TimeUs nowUs, SessionSnapshot& out) const {
  (void)nowUs;
  const Announced* entry = state_->directory.find(session);
  if (entry == nullptr || !entry->session) return false;
  out = {};
  entry->session->snapshot(out);
  return true;
}

const ShardCounters& Shard::counters() const {
  return state_->counters;
}

size_t Shard::sessions() const {
  return state_->live;
}

}  // namespace sluice
