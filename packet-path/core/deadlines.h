// Who is to be woken next: an indexed binary heap. A deadline that only moves later is left where it is until it fires.
#pragma once

#include <cstdint>
#include <vector>

#include "wire/types.h"

namespace sluice {

/// Something with a deadline. Owned elsewhere; leaves the heap before it dies.
class Sleeper {
 public:
  [[nodiscard]] TimeUs wakesAtUs() const { return atUs_; }

 protected:
  ~Sleeper() = default;

 private:
  friend class Deadlines;
  static constexpr size_t kNowhere = SIZE_MAX;
  size_t slot_ = kNowhere;
  TimeUs atUs_ = kNever;
};

class Deadlines {
 public:
  [[nodiscard]] TimeUs next() const { return heap_.empty() ? kNever : heap_.front()->atUs_; }
  /// The one that is due first, if any is due.
  [[nodiscard]] Sleeper* due(TimeUs nowUs) const { return next() <= nowUs ? heap_.front() : nullptr; }

  /// Sets a sleeper's deadline; kNever takes it out.
  void set(Sleeper& sleeper, TimeUs atUs);
  /// Moves a sleeper's deadline earlier, or leaves it.
  void atMost(Sleeper& sleeper, TimeUs atUs) {
    if (atUs < sleeper.atUs_) set(sleeper, atUs);
  }

 private:
  void place(size_t slot, Sleeper& sleeper);
  void up(size_t slot, Sleeper& sleeper);
  void down(size_t slot, Sleeper& sleeper);

  std::vector<Sleeper*> heap_;
};

}  // namespace sluice
