// Reliable messages for a client that cannot take them yet: its channel is not open, or its buffer is full.
#pragma once

#include <deque>
#include <memory>

#include "../events.h"
#include "../wire/types.h"

namespace sluice::data {

/// First in, first out; bounded in count, in bytes and in time. The messages themselves are shared among receivers.
class HeldMessages {
 public:
  /// Clients open their channels within three seconds of joining, or never.
  static constexpr TimeUs kMaxWaitUs = 5 * kSecondUs;
  static constexpr size_t kMaxMessages = 1'024;
  static constexpr size_t kMaxBytes = 2'097'152;

  /// False when there is no room.
  [[nodiscard]] bool hold(std::shared_ptr<const DataMessage> message, TimeUs nowUs);
  [[nodiscard]] bool empty() const { return held_.empty(); }
  [[nodiscard]] const std::shared_ptr<const DataMessage>& front() const { return held_.front().message; }
  void pop();
  /// Drops what waited too long; returns how many.
  size_t expire(TimeUs nowUs);
  [[nodiscard]] TimeUs nextDeadline() const { return held_.empty() ? kNever : held_.front().untilUs; }

 private:
  struct Held {
    std::shared_ptr<const DataMessage> message;
    TimeUs untilUs;
  };
  std::deque<Held> held_;
  size_t bytes_ = 0;
};

}  // namespace sluice::data
