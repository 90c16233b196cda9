// What shards tell the owner of the packet path: events, and answers to snapshots.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "../core/counters.h"
#include "../core/events.h"
#include "../core/shard.h"
#include "../core/snapshot.h"
#include "bounded_queue.h"
#include "counters.h"

namespace sluice::io {

struct ShardReport {
  ShardIndex shard = 0;
  size_t sessions = 0;
  ShardCounters counters;
  IoCounters io;
};

struct SessionReport {
  /// Empty: no shard holds the session.
  std::optional<SessionSnapshot> session;
};

struct Answer {
  uint64_t ticket = 0;
  std::variant<SessionReport, ShardReport> what;
};

/// Many shards put, one owner takes. The owner is notified once for whatever has gathered, not once a piece.
class Outbox {
 public:
  /// 2,500 sessions that land, connect, start two tracks and close make 12,500.
  static constexpr size_t kEvents = 32'768;
  /// Answers that may be outstanding; the owner asks for no more, so that none is ever lost.
  static constexpr size_t kAnswers = 16'384;

  /// `notify` is called from any shard's thread and must not block.
  explicit Outbox(std::function<void()> notify) : notify_(std::move(notify)) {}

  /// False when full: the event is lost, and the owner is told how many were.
  [[nodiscard]] bool put(Event&& event) {
    const bool fits = events_.push(std::move(event));
    if (!fits) lost_.fetch_add(1, std::memory_order_relaxed);
    ring();
    return fits;
  }
  [[nodiscard]] bool put(std::unique_ptr<Answer>&& answer) {
    const bool fits = answers_.push(std::move(answer));
    ring();
    return fits;
  }

  struct Contents {
    std::vector<Event> events;
    std::vector<std::unique_ptr<Answer>> answers;
    uint64_t eventsLost = 0;
    void clear() {
      events.clear();
      answers.clear();
      eventsLost = 0;
    }
  };
  /// From the owner's thread, on notification. Answers are taken first, then everything that was an event by then: no
  /// answer overtakes an event that its shard put before it.
  void take(Contents& out) {
    notified_.exchange(false, std::memory_order_acq_rel);
    answers_.popInto(out.answers, kAnswers);
    events_.popInto(out.events, kEvents);
    out.eventsLost = lost_.exchange(0, std::memory_order_relaxed);
    if (!events_.empty() || !answers_.empty()) ring();
  }

 private:
  void ring() {
    if (!notified_.exchange(true, std::memory_order_acq_rel)) notify_();
  }

  std::function<void()> notify_;
  BoundedQueue<Event> events_{kEvents};
  BoundedQueue<std::unique_ptr<Answer>> answers_{kAnswers};
  std::atomic<bool> notified_{false};
  std::atomic<uint64_t> lost_{0};
};

}  // namespace sluice::io
