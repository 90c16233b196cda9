// A packet path on threads: N shards that share their ports, and the verbs of whoever owns them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "../core/shard.h"
#include "mailbox.h"
#include "outbox.h"
#include "shard_thread.h"
#include "socket.h"

namespace sluice::io {

struct EngineConfig {
  std::vector<Address> bind;  ///< port 0: the kernel chooses, once for all shards
  size_t shards = 1;
  ShardConfig shard;  ///< of each; index and count are filled in
  Backend backend = kDefaultBackend;
  /// A subscriber's second of 1.5 Mbit/s is 190 KiB; a burst of key frames of a whole room must fit while a shard
  /// seals.
  size_t receiveBufferBytes = 8 * 1'024 * 1'024;
  size_t sendBufferBytes = 8 * 1'024 * 1'024;
  std::vector<int> cpus;  ///< one a shard, or empty: the scheduler's choice
};

/// Numbers of all shards at about one moment.
struct EngineReport {
  std::vector<ShardReport> shards;
};

/// All verbs are called from one thread, the owner's. They return at once; shards act in the order of the calls.
class Engine {
 public:
  struct Delivery {
    std::vector<Event> events;
    uint64_t eventsLost = 0;
    std::vector<std::pair<uint64_t, SessionReport>> sessionReports;  ///< by ticket
    std::vector<std::pair<uint64_t, EngineReport>> reports;
  };

  /// `notify` is called from any thread when there is something to `take`.
  [[nodiscard]] static std::variant<std::unique_ptr<Engine>, SocketError> open(const EngineConfig& config,
                                                                               std::function<void()> notify);
  /// Stops and joins every thread.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// False when a shard's command queue is full: nothing was applied anywhere.
  [[nodiscard]] bool apply(std::shared_ptr<const SessionSpec> spec);
  [[nodiscard]] bool drop(SessionKey session);
  /// From now on no session may land: those that have not are forgotten, and new ones are not announced.
  [[nodiscard]] bool drain();
  /// The answer comes by `take` with this ticket. Empty when more is outstanding than may be.
  [[nodiscard]] std::optional<uint64_t> askSession(SessionKey session);
  [[nodiscard]] std::optional<uint64_t> askAll();
  [[nodiscard]] Delivery take();

  /// What was bound, in the order of the configuration, with the ports that the kernel chose.
  [[nodiscard]] std::vector<Address> boundTo() const;
  /// The smallest that the kernel granted.
  [[nodiscard]] size_t receiveBufferBytes() const;
  [[nodiscard]] size_t sendBufferBytes() const;
  [[nodiscard]] size_t shards() const { return threads_.size(); }

 private:
  explicit Engine(std::function<void()> notify) : outbox_(std::move(notify)) {}

  [[nodiscard]] std::optional<SocketError> bind(const EngineConfig& config);
  [[nodiscard]] std::optional<SocketError> startThreads(const EngineConfig& config);
  [[nodiscard]] bool allHaveRoom() const;
  void tellAll(const ShardCommand& command);
  void tell(size_t shard, ShardCommand&& command);
  void gather(uint64_t ticket, ShardReport&& report, Delivery& out);

  LocalEnds ends_;
  Outbox outbox_;
  Outbox::Contents contents_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;
  std::vector<std::vector<std::unique_ptr<Socket>>> sockets_;  ///< until their threads take them
  std::vector<std::unique_ptr<ShardThread>> threads_;
  std::unordered_map<SessionKey, std::shared_ptr<SessionClaim>> claims_;
  std::unordered_map<uint64_t, EngineReport> gathering_;
  uint64_t nextTicket_ = 1;
  size_t outstanding_ = 0;
  bool draining_ = false;
};

}  // namespace sluice::io
