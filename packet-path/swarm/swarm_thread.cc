#include "swarm_thread.h"

#include <sched.h>

#include <algorithm>

#include "../io/address.h"
#include "../io/clock.h"

namespace sluice::swarm {

namespace {

// A second of 8 Mbit/s: a client that waits for its turn loses nothing to its own kernel.
constexpr size_t kBufferBytes = 1 << 20;

}  // namespace

SwarmThread::Turn::Turn(SwarmThread& thread) : thread_(thread) {
  thread_.wanted_.fetch_add(1);
  lock_ = std::unique_lock(thread_.working_);
}

SwarmThread::Turn::~Turn() {
  lock_.unlock();
  thread_.wanted_.fetch_sub(1);
  // It may wait for something that is due earlier now.
  thread_.poller_->wake();
}

SwarmThread::SwarmThread(std::unique_ptr<dtls::Context> dtls, std::unique_ptr<Poller> poller, uint64_t seed,
                         Outbox& outbox)
    : dtls_(std::move(dtls)), poller_(std::move(poller)), context_(*dtls_, outbox), seed_(seed) {
  thread_ = std::thread([this] { run(); });
}

SwarmThread::~SwarmThread() {
  stopping_ = true;
  poller_->wake();
  thread_.join();
}

bool SwarmThread::add(ClientId id, const ClientConfig& config) {
  io::SocketOptions options;
  const auto any = io::parseAddress(config.peer.server.family == 6 ? "::" : "0.0.0.0", 0);
  options.bind = any.value_or(Address{});
  options.receiveBufferBytes = options.sendBufferBytes = kBufferBytes;
  const Turn turn(*this);
  auto opened = io::openSocket(io::kDefaultBackend, options, ends_);
  auto* socket = std::get_if<std::unique_ptr<io::Socket>>(&opened);
  if (socket == nullptr || !poller_->add((*socket)->fd(), id)) return false;
  TimedReceiver::prepare(**socket);
  auto client = std::make_unique<Client>(id, config, std::move(*socket), seed_ + 2 * id, context_);
  client->start(io::monotonicUs());
  deadlines_.set(*client, client->nextDeadline());
  clients_.emplace(id, std::move(client));
  return true;
}

void SwarmThread::remove(ClientId id, bool goodbye) {
  const Turn turn(*this);
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  Client& client = *found->second;
  if (goodbye) client.peer().peer().close();
  poller_->remove(client.socket().fd());
  deadlines_.set(client, kNever);
  clients_.erase(found);
}

ThreadReport SwarmThread::report() {
  const Turn turn(*this);
  return {clients_.size(), cpuUs_, std::exchange(worstLagUs_, 0), context_.counters};
}

void SwarmThread::run() {
  while (!stopping_) {
    while (wanted_ > 0 && !stopping_) ::sched_yield();
    TimeUs timeoutUs = kNever;
    {
      const std::lock_guard lock(working_);
      doWhatIsDue();
      cpuUs_ = io::threadCpuUs();
      if (deadlines_.next() != kNever) timeoutUs = std::max<TimeUs>(0, deadlines_.next() - io::monotonicUs());
    }
    const auto ready = poller_->wait(timeoutUs);
    if (ready.empty()) continue;
    const std::lock_guard lock(working_);
    for (const ClientId id : ready) receiveFrom(id);
  }
}

void SwarmThread::doWhatIsDue() {
  const TimeUs nowUs = io::monotonicUs();
  while (Sleeper* sleeper = deadlines_.due(nowUs)) {
    worstLagUs_ = std::max(worstLagUs_, nowUs - sleeper->wakesAtUs());
    auto& client = static_cast<Client&>(*sleeper);
    client.onDeadline(nowUs);
    // Whatever it leaves undone waits for the next round, so that nobody holds up the others.
    deadlines_.set(client, std::max(client.nextDeadline(), nowUs + 1));
  }
}

void SwarmThread::receiveFrom(ClientId id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;  // removed meanwhile
  Client& client = *found->second;
  for (const TimedReceiver::Datagram& d : receiver_.receive(client.socket(), context_.counters)) {
    client.receive(d.bytes, d.from, d.atUs);
  }
  deadlines_.set(client, client.nextDeadline());
}

}  // namespace sluice::swarm
