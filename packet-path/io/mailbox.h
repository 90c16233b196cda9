// What others leave for a shard, and how they wake it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <variant>

#include "bounded_queue.h"
#include "socket.h"

namespace sluice::io {

/// Numbers that someone waits for: of one session, or of the whole shard.
struct SnapshotRequest {
  uint64_t ticket = 0;
  std::optional<SessionKey> session;
};

struct DropSession {
  SessionKey session{};
};

/// What the owner of a packet path tells a shard.
using ShardCommand = std::variant<std::monostate, AnnouncedSpec, DropSession, SnapshotRequest>;

/// Owned by the engine; read by one shard's thread.
class Mailbox {
 public:
  /// At 100,000 packets a second this is 80 ms of a shard that does not answer.
  static constexpr size_t kMessages = 8'192;
  static constexpr size_t kCommands = 16'384;

  explicit Mailbox(std::unique_ptr<Waiter> waiter) : waiter_(std::move(waiter)) {}

  // ── other threads ──
  [[nodiscard]] bool put(ShardMessage&& message) { return messages_.push(std::move(message)); }
  [[nodiscard]] bool put(ShardCommand&& command) { return commands_.push(std::move(command)); }
  [[nodiscard]] bool hasRoomForCommand() const { return commands_.hasRoom(1); }
  /// After a `put`: costs a system call only when the shard sleeps.
  void ring() {
    if (asleep_.exchange(false, std::memory_order_acq_rel)) waiter_->wake();
  }

  // ── the shard's thread ──
  [[nodiscard]] BoundedQueue<ShardMessage>& messages() { return messages_; }
  [[nodiscard]] BoundedQueue<ShardCommand>& commands() { return commands_; }
  [[nodiscard]] Waiter& waiter() { return *waiter_; }
  [[nodiscard]] bool empty() const { return messages_.empty() && commands_.empty(); }

  /// Waits for sockets, for mail or until `timeoutUs`. What was put before `asleep_` turned true is seen by `empty`,
  /// what is put afterwards finds it true and wakes: both sides exchange the same atomic.
  uint32_t sleep(TimeUs timeoutUs) {
    (void)asleep_.exchange(true, std::memory_order_acq_rel);
    const uint32_t ready = waiter_->wait(empty() ? timeoutUs : 0);
    asleep_.store(false, std::memory_order_release);
    return ready;
  }

 private:
  std::unique_ptr<Waiter> waiter_;
  BoundedQueue<ShardMessage> messages_{kMessages};
  BoundedQueue<ShardCommand> commands_{kCommands};
  std::atomic<bool> asleep_{false};
};

}  // namespace sluice::io
