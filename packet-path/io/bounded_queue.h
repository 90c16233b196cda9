// The one queue between threads: bounded, many producers, one consumer, no locks.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::io {

/// A ring whose cells carry the turn in which they may be written or read (Vyukov's bounded queue). A full queue
/// refuses: the producer keeps its value and counts the drop. A producer that is interrupted between claiming a cell
/// and filling it delays what comes behind, but blocks nobody.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity)
      : cells_(std::make_unique<Cell[]>(std::bit_ceil(capacity))), mask_(std::bit_ceil(capacity) - 1) {
    for (size_t i = 0; i <= mask_; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  /// From any thread. False when full; `value` is untouched then.
  [[nodiscard]] bool push(T&& value) {
    size_t at = head_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[at & mask_];
      const size_t turn = cell.turn.load(std::memory_order_acquire);
      const auto lag = static_cast<intptr_t>(turn - at);
      if (lag < 0) return false;
      if (lag == 0 && head_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
        cell.value = std::move(value);
        cell.turn.store(at + 1, std::memory_order_release);
        return true;
      }
      if (lag > 0) at = head_.load(std::memory_order_relaxed);
    }
  }

  /// From the one consumer.
  [[nodiscard]] bool pop(T& out) {
    Cell& cell = cells_[tail_ & mask_];
    if (cell.turn.load(std::memory_order_acquire) != tail_ + 1) return false;
    out = std::move(cell.value);
    cell.value = T{};
    cell.turn.store(tail_ + mask_ + 1, std::memory_order_release);
    ++tail_;
    return true;
  }

  /// Appends at most `limit` values, in order; returns how many.
  size_t popInto(std::vector<T>& out, size_t limit) {
    size_t taken = 0;
    for (T value; taken < limit && pop(value); ++taken) out.push_back(std::move(value));
    return taken;
  }

  /// For the one consumer: whether `pop` would find nothing.
  [[nodiscard]] bool empty() const { return cells_[tail_ & mask_].turn.load(std::memory_order_acquire) != tail_ + 1; }

  [[nodiscard]] size_t capacity() const { return mask_ + 1; }

  /// For a producer that is the only one: whether `count` pushes would succeed. The consumer can only make more room.
  [[nodiscard]] bool hasRoom(size_t count) const {
    const size_t last = head_.load(std::memory_order_relaxed) + count - 1;
    return count <= capacity() && cells_[last & mask_].turn.load(std::memory_order_acquire) == last;
  }

 private:
  struct Cell {
    std::atomic<size_t> turn{0};
    T value{};
  };
  /// Producers and the consumer write on lines of their own.
  static constexpr size_t kCacheLine = 64;

  std::unique_ptr<Cell[]> cells_;
  size_t mask_;
  alignas(kCacheLine) std::atomic<size_t> head_{0};
  alignas(kCacheLine) size_t tail_ = 0;
};

}  // namespace sluice::io
