// A queue in one block of memory that grows as needed and gives the block back when it ran empty.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace sluice::sctp {

template <typename T>
class Ring {
 public:
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] T& operator[](size_t i) { return slots_[(head_ + i) & (capacity_ - 1)]; }
  [[nodiscard]] const T& operator[](size_t i) const { return slots_[(head_ + i) & (capacity_ - 1)]; }
  [[nodiscard]] T& front() { return (*this)[0]; }
  [[nodiscard]] const T& front() const { return (*this)[0]; }

  void push(T value) {
    if (size_ == capacity_) grow();
    (*this)[size_++] = std::move(value);
  }

  T pop() {
    T value = std::move(front());
    head_ = (head_ + 1) & (capacity_ - 1);
    if (--size_ == 0 && capacity_ > kKeptSlots) *this = Ring();
    return value;
  }

  void clear() { *this = Ring(); }

 private:
  /// Small enough that an idle association stays small, large enough that light traffic allocates nothing.
  static constexpr size_t kKeptSlots = 32;
  static constexpr size_t kFirstSlots = 8;

  void grow() {
    const size_t capacity = capacity_ == 0 ? kFirstSlots : capacity_ * 2;
    auto slots = std::make_unique<T[]>(capacity);
    for (size_t i = 0; i < size_; ++i) slots[i] = std::move((*this)[i]);
    slots_ = std::move(slots);
    capacity_ = capacity;
    head_ = 0;
  }

  std::unique_ptr<T[]> slots_;
  size_t capacity_ = 0;  // zero or a power of two
  size_t head_ = 0;
  size_t size_ = 0;
};

}  // namespace sluice::sctp
