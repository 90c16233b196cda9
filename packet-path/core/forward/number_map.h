// Numbers in, numbers out: what is left out leaves no gap, what is lost does.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace sluice::forward {

/// Maps a sequence of which some numbers are left out on purpose to one without gaps. A number is left out by whoever
/// sees it first, in order; a number that was skipped because its packet has not come keeps its place, and its packet
/// gets it when it comes late. What was mapped once is mapped the same until it leaves the window: one bit a number,
/// and a count for every 64.
template <size_t kWindow>
class NumberMap {
 public:
  static_assert(kWindow % 64 == 0 && kWindow >= 128);

  /// The first number, which is mapped to itself.
  explicit NumberMap(int64_t first) : end_(first), oldest_(first) { open(first); }

  /// Appends the next number. Those between the last and this one keep their places, or go with `dropGap`.
  void append(int64_t number, bool drop, bool dropGap = false) {
    if (number - end_ >= static_cast<int64_t>(kWindow)) {
      skipAll(number, dropGap);
    } else {
      while (end_ < number) push(dropGap);
    }
    push(drop);
  }

  enum class Fate : uint8_t { kMapped, kDropped, kForgotten };
  [[nodiscard]] Fate fate(int64_t number) const {
    if (number < oldest_ || number >= end_) return Fate::kForgotten;
    return (words_[word(number)] >> bit(number) & 1) != 0 ? Fate::kDropped : Fate::kMapped;
  }
  /// What a number is mapped to; empty when it was left out, or is none of the window.
  [[nodiscard]] std::optional<int64_t> out(int64_t number) const {
    if (fate(number) != Fate::kMapped) return {};
    return number - droppedBefore(number);
  }
  /// The number that was, or would have been, mapped to `mapped`.
  [[nodiscard]] std::optional<int64_t> in(int64_t mapped) const {
    if (mapped >= nextOut()) return {};
    for (int64_t from = lastWord();; from -= 64) {
      const int64_t start = std::max(from, oldest_);
      if (start - droppedBefore(start) <= mapped) return find(start, mapped);
      if (from <= oldest_) return {};
    }
  }

  /// The number after the highest appended, and what it will be mapped to.
  [[nodiscard]] int64_t end() const { return end_; }
  [[nodiscard]] int64_t nextOut() const { return end_ - dropped_; }

 private:
  static constexpr size_t kWords = kWindow / 64;

  static size_t word(int64_t number) { return static_cast<uint64_t>(number) / 64 % kWords; }
  static uint32_t bit(int64_t number) { return static_cast<uint32_t>(static_cast<uint64_t>(number) % 64); }
  [[nodiscard]] int64_t lastWord() const { return (end_ - 1) & ~int64_t{63}; }

  [[nodiscard]] int64_t droppedBefore(int64_t number) const {
    const size_t w = word(number);
    const uint64_t below = words_[w] & ((uint64_t{1} << bit(number)) - 1);
    // Counts are kept modulo 2^32; the window is far smaller.
    const auto since = static_cast<uint32_t>(static_cast<uint32_t>(dropped_) - before_[w]);
    return dropped_ - since + std::popcount(below);
  }
  [[nodiscard]] std::optional<int64_t> find(int64_t number, int64_t mapped) const {
    for (; number < end_; ++number) {
      if (fate(number) == Fate::kMapped && number - droppedBefore(number) == mapped) return number;
    }
    return {};
  }

  void push(bool drop) {
    if (bit(end_) == 0) open(end_);
    if (drop) {
      words_[word(end_)] |= uint64_t{1} << bit(end_);
      ++dropped_;
    }
    ++end_;
  }
  // Begins the word that `number` is in.
  void open(int64_t number) {
    words_[word(number)] = 0;
    before_[word(number)] = static_cast<uint32_t>(dropped_);
    const int64_t start = number & ~int64_t{63};
    oldest_ = std::max(oldest_, start + 64 - static_cast<int64_t>(kWindow));
  }
  // A gap that is larger than the window.
  void skipAll(int64_t number, bool dropGap) {
    if (dropGap) dropped_ += number - end_;
    end_ = number;
    oldest_ = number;
    open(number);
  }

  std::array<uint64_t, kWords> words_{};   // a bit for each number that was left out
  std::array<uint32_t, kWords> before_{};  // how many were left out before the word
  int64_t dropped_ = 0;
  int64_t end_;
  int64_t oldest_;
};

}  // namespace sluice::forward
