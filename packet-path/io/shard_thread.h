// One shard on one thread with its own sockets: receives, hands over, does what is due, sleeps.
#pragma once

#include <pthread.h>

#include <atomic>
#include <optional>
#include <vector>

#include "../core/shard.h"
#include "gathering.h"
#include "mailbox.h"
#include "outbox.h"
#include "socket.h"

namespace sluice::io {

/// Sends bursts by the socket, and from the local address, that their destination's path belongs to.
class BurstSink final : public DatagramSink {
 public:
  BurstSink(std::span<const std::unique_ptr<Socket>> sockets, const LocalEnds& ends, IoCounters& counters)
      : sockets_(sockets), ends_(ends), counters_(counters), slab_(new uint8_t[kMaxBurstBytes]) {}

  [[nodiscard]] MutableBytes reserve(size_t bytes) override {
    return bytes <= kMaxBurstBytes ? MutableBytes{slab_.get(), bytes} : MutableBytes{};
  }
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override;
  void beginRound() { patience_.renew(); }

 private:
  [[nodiscard]] Socket* socketFor(const Address& to, const LocalEnd* source) const;

  std::span<const std::unique_ptr<Socket>> sockets_;
  const LocalEnds& ends_;
  IoCounters& counters_;
  std::unique_ptr<uint8_t[]> slab_;
  SendPatience patience_;
};

/// Everything a shard's thread shares with others; the engine owns it and outlives the thread.
struct Surroundings {
  std::span<const std::unique_ptr<Mailbox>> mailboxes;  ///< by shard index, its own included
  Outbox& outbox;
  const LocalEnds& ends;
};

class ShardThread final : private ShardWorld {
 public:
  ShardThread(const ShardConfig& config, std::vector<std::unique_ptr<Socket>> sockets, Surroundings surroundings);
  ~ShardThread() override;
  ShardThread(const ShardThread&) = delete;
  ShardThread& operator=(const ShardThread&) = delete;

  /// `cpu`: pins the thread (Linux). False when the system gives no thread.
  [[nodiscard]] bool start(std::optional<int> cpu);
  /// Returns when the thread has ended. Idempotent.
  void stop();
  /// After `stop`: lets go of everything that came from other shards.
  void forget(std::span<const SessionKey> sessions);

  [[nodiscard]] std::span<const std::unique_ptr<Socket>> sockets() const { return sockets_; }

 private:
  // ShardWorld
  [[nodiscard]] DatagramSink& datagrams() override { return sink_; }
  void event(Event&& event) override;
  [[nodiscard]] bool post(ShardIndex to, ShardMessage&& message) override;
  void random(MutableBytes out) override;

  void run();
  void receiveDatagrams(TimeUs nowUs);
  void readMail(TimeUs nowUs);
  void obey(ShardCommand& command, TimeUs nowUs);
  void answer(const SnapshotRequest& request, TimeUs nowUs);
  void ringPosted();
  void sleep();

  ShardIndex index_;
  Surroundings around_;
  Mailbox& mailbox_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  IoCounters counters_;
  BurstSink sink_;
  ReceiveBuffer buffer_;
  std::vector<ReceivedDatagram> batch_;
  std::vector<ShardMessage> messages_;
  std::vector<ShardCommand> commands_;
  uint32_t ready_ = 0;  ///< sockets that had more than one receive took
  bool slept_ = false;  ///< before this round
  Gathering gathering_;
  uint64_t posted_ = 0;  ///< shards that mail was put for in this round
  uint8_t entropy_[256] = {};
  size_t entropyLeft_ = 0;
  Shard shard_;

  std::atomic<bool> stopping_{false};
  std::optional<pthread_t> thread_;
};

}  // namespace sluice::io
