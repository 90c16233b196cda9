#include "engine.h"

#include <algorithm>
#include <cerrno>

namespace sluice::io {

namespace {

bool hasIpv4(const std::vector<Address>& addresses) {
  for (const Address& address : addresses) {
    if (address.family == 4) return true;
  }
  return false;
}

}  // namespace

std::variant<std::unique_ptr<Engine>, SocketError> Engine::open(const EngineConfig& config,
                                                                std::function<void()> notify) {
  std::unique_ptr<Engine> engine(new Engine(std::move(notify)));
  if (const auto error = engine->bind(config)) return *error;
  if (const auto error = engine->startThreads(config)) return *error;
  return engine;
}

Engine::~Engine() {
  for (const auto& thread : threads_) thread->stop();
  // Packets of one shard's pool lie in the histories and mailboxes of others: all let go before any pool goes.
  std::vector<SessionKey> sessions;
  sessions.reserve(claims_.size());
  for (const auto& [session, claim] : claims_) sessions.push_back(session);
  for (const auto& thread : threads_) thread->forget(sessions);
  for (const auto& thread : threads_) thread->forget({});
}

std::optional<SocketError> Engine::bind(const EngineConfig& config) {
  std::vector<Address> addresses = config.bind;
  for (size_t shard = 0; shard < config.shards; ++shard) {
    auto& sockets = sockets_.emplace_back();
    for (size_t i = 0; i < addresses.size(); ++i) {
      SocketOptions options;
      options.bind = addresses[i];
      options.index = static_cast<uint8_t>(i);
      options.dualStack = addresses[i].family == 6 && !hasIpv4(addresses);
      if (config.shards > 1) options.sharing = shard == 0 ? PortSharing::kFounder : PortSharing::kFollower;
      options.receiveBufferBytes = config.receiveBufferBytes;
      options.sendBufferBytes = config.sendBufferBytes;
      auto opened = openSocket(config.backend, options, ends_);
      if (const auto* error = std::get_if<SocketError>(&opened)) return *error;
      sockets.push_back(std::move(std::get<std::unique_ptr<Socket>>(opened)));
      addresses[i].port = sockets.back()->boundTo().port;
    }
    auto waiter = makeWaiter(config.backend);
    if (waiter == nullptr) return SocketError{OpenFailure::kOutOfResources, {}, errno};
    mailboxes_.push_back(std::make_unique<Mailbox>(std::move(waiter)));
  }
  return std::nullopt;
}

std::optional<SocketError> Engine::startThreads(const EngineConfig& config) {
  for (size_t i = 0; i < config.shards; ++i) {
    ShardConfig shard = config.shard;
    shard.index = static_cast<ShardIndex>(i);
    shard.shards = config.shards;
    threads_.push_back(
        std::make_unique<ShardThread>(shard, std::move(sockets_[i]), Surroundings{mailboxes_, outbox_, ends_}));
  }
  sockets_.clear();
  for (size_t i = 0; i < config.shards; ++i) {
    const std::optional<int> cpu = i < config.cpus.size() ? std::optional(config.cpus[i]) : std::nullopt;
    if (!threads_[i]->start(cpu)) return SocketError{OpenFailure::kOutOfResources, {}, EAGAIN};
  }
  return std::nullopt;
}

bool Engine::apply(std::shared_ptr<const SessionSpec> spec) {
  if (!allHaveRoom()) return false;
  const SessionKey session = spec->session;
  if (draining_ && !claims_.contains(session)) return true;
  std::shared_ptr<SessionClaim>& claim = claims_[session];
  if (claim == nullptr) claim = std::make_shared<SessionClaim>();
  tellAll(AnnouncedSpec{std::move(spec), claim});
  return true;
}

bool Engine::drop(SessionKey session) {
  if (!allHaveRoom()) return false;
  if (claims_.erase(session) == 0) return true;
  tellAll(DropSession{session});
  return true;
}

bool Engine::drain() {
  draining_ = true;
  std::vector<SessionKey> waiting;
  for (const auto& [session, claim] : claims_) {
    if (claim->owner() == SessionClaim::kUnclaimed) waiting.push_back(session);
  }
  for (const SessionKey session : waiting) {
    if (!drop(session)) return false;
  }
  return true;
}

std::optional<uint64_t> Engine::askSession(SessionKey session) {
  if (outstanding_ + 1 > Outbox::kAnswers) return std::nullopt;
  const auto claim = claims_.find(session);
  const int owner = claim == claims_.end() ? SessionClaim::kUnclaimed : claim->second->owner();
  // Nobody's session: any shard says so, in its turn.
  const size_t shard = owner == SessionClaim::kUnclaimed ? 0 : static_cast<size_t>(owner);
  if (!mailboxes_[shard]->hasRoomForCommand()) return std::nullopt;
  const uint64_t ticket = nextTicket_++;
  ++outstanding_;
  tell(shard, SnapshotRequest{ticket, session});
  return ticket;
}

std::optional<uint64_t> Engine::askAll() {
  if (outstanding_ + threads_.size() > Outbox::kAnswers || !allHaveRoom()) return std::nullopt;
  const uint64_t ticket = nextTicket_++;
  outstanding_ += threads_.size();
  tellAll(SnapshotRequest{ticket, std::nullopt});
  return ticket;
}

Engine::Delivery Engine::take() {
  Delivery out;
  contents_.clear();
  outbox_.take(contents_);
  out.events = std::move(contents_.events);
  out.eventsLost = contents_.eventsLost;
  outstanding_ -= contents_.answers.size();
  for (auto& answer : contents_.answers) {
    if (auto* session = std::get_if<SessionReport>(&answer->what)) {
      out.sessionReports.emplace_back(answer->ticket, std::move(*session));
    } else if (auto* shard = std::get_if<ShardReport>(&answer->what)) {
      gather(answer->ticket, std::move(*shard), out);
    }
  }
  return out;
}

void Engine::gather(uint64_t ticket, ShardReport&& report, Delivery& out) {
  EngineReport& gathered = gathering_[ticket];
  gathered.shards.push_back(std::move(report));
  if (gathered.shards.size() < threads_.size()) return;
  std::ranges::sort(gathered.shards, {}, &ShardReport::shard);
  out.reports.emplace_back(ticket, std::move(gathered));
  gathering_.erase(ticket);
}

bool Engine::allHaveRoom() const {
  for (const auto& mailbox : mailboxes_) {
    if (!mailbox->hasRoomForCommand()) return false;
  }
  return true;
}

void Engine::tellAll(const ShardCommand& command) {
  for (size_t i = 0; i < mailboxes_.size(); ++i) tell(i, ShardCommand(command));
}

void Engine::tell(size_t shard, ShardCommand&& command) {
  // The owner is the only one who commands, and looked for room before.
  (void)mailboxes_[shard]->put(std::move(command));
  mailboxes_[shard]->ring();
}

std::vector<Address> Engine::boundTo() const {
  std::vector<Address> addresses;
  for (const auto& socket : threads_.front()->sockets()) addresses.push_back(socket->boundTo());
  return addresses;
}

size_t Engine::receiveBufferBytes() const {
  size_t least = SIZE_MAX;
  for (const auto& socket : threads_.front()->sockets()) least = std::min(least, socket->receiveBufferBytes());
  return least;
}

size_t Engine::sendBufferBytes() const {
  size_t least = SIZE_MAX;
  for (const auto& socket : threads_.front()->sockets()) least = std::min(least, socket->sendBufferBytes());
  return least;
}

}  // namespace sluice::io
