// One thread with its clients. Its owner's calls and its own work take turns.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "../io/clock.h"
#include "client.h"
#include "poller.h"
#include "timed_receiver.h"

namespace sluice::swarm {

class SwarmThread {
 public:
  SwarmThread(std::unique_ptr<dtls::Context> dtls, std::unique_ptr<Poller> poller, uint64_t seed, Outbox& outbox);
  ~SwarmThread();
  SwarmThread(const SwarmThread&) = delete;
  SwarmThread& operator=(const SwarmThread&) = delete;

  /// False when the system has no sockets left.
  [[nodiscard]] bool add(ClientId id, const ClientConfig& config);
  void remove(ClientId id, bool goodbye);
  /// Calls `act(client, nowUs)` between two rounds of the thread, unless the client is gone.
  template <typename Act>
  void with(ClientId id, Act&& act) {
    const Turn turn(*this);
    const auto found = clients_.find(id);
    if (found == clients_.end()) return;
    const TimeUs nowUs = io::monotonicUs();
    found->second->at(nowUs);
    act(*found->second, nowUs);
    deadlines_.set(*found->second, found->second->nextDeadline());
  }
  [[nodiscard]] ThreadReport report();

 private:
  /// Lets the thread know that somebody wants the lock: it is otherwise taken again before anyone wakes.
  class Turn {
   public:
    explicit Turn(SwarmThread& thread);
    ~Turn();

   private:
    SwarmThread& thread_;
    std::unique_lock<std::mutex> lock_;
  };

  void run();
  void doWhatIsDue();
  void receiveFrom(ClientId id);

  std::unique_ptr<dtls::Context> dtls_;
  std::unique_ptr<Poller> poller_;
  ThreadContext context_;
  /// Held while the thread works, free while it waits.
  std::mutex working_;
  std::unordered_map<ClientId, std::unique_ptr<Client>> clients_;
  Deadlines deadlines_;
  io::LocalEnds ends_;
  TimedReceiver receiver_;
  uint64_t seed_;
  TimeUs cpuUs_ = 0;
  TimeUs worstLagUs_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> wanted_{0};
  std::thread thread_;
};

}  // namespace sluice::swarm
