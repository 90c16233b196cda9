// When to ask a publisher for a key frame: seldom, and until one came.
#pragma once

#include <algorithm>

#include "../wire/types.h"

namespace sluice::receive {

class KeyFrameRequester {
 public:
  /// From a request that was answered to the next. A key frame costs the publisher several frames' worth of bits.
  static constexpr TimeUs kMinIntervalUs = 500 * kMillisecondUs;
  /// An unanswered request is repeated after a round trip and a half, at least this: libwebrtc's encoder answers at
  /// most one in 300 ms. Each further one waits twice as long as the one before, up to kMaxRetryUs.
  static constexpr TimeUs kMinRetryUs = 300 * kMillisecondUs;
  static constexpr TimeUs kMaxRetryUs = 3 * kSecondUs;
  /// Requests without a key frame before giving up; whoever still waits wants again with the next packet.
  static constexpr uint32_t kMaxTries = 20;

  /// Somebody cannot go on without one.
  void want(TimeUs nowUs) {
    if (wanted_) return;
    wanted_ = true;
    tries_ = 0;
    retryUs_ = 0;
    nextAtUs_ = lastAskedUs_ == kNever ? nowUs : std::max(nowUs, lastAskedUs_ + kMinIntervalUs);
  }
  /// A key frame began.
  void arrived() {
    wanted_ = false;
    nextAtUs_ = kNever;
  }
  /// When to ask; kNever when nobody waits.
  [[nodiscard]] TimeUs nextDeadline() const { return nextAtUs_; }
  /// True when a request is to be sent now; it then counts as sent.
  [[nodiscard]] bool due(TimeUs nowUs, TimeUs rttUs) {
    if (nowUs < nextAtUs_) return false;
    if (tries_ == kMaxTries) {
      arrived();
      return false;
    }
    ++tries_;
    ++asked_;
    lastAskedUs_ = nowUs;
    retryUs_ = std::min(std::max({kMinRetryUs, rttUs * 3 / 2, retryUs_ * 2}), kMaxRetryUs);
    nextAtUs_ = nowUs + retryUs_;
    return true;
  }
  [[nodiscard]] bool wanted() const { return wanted_; }
  [[nodiscard]] uint64_t asked() const { return asked_; }

 private:
  bool wanted_ = false;
  uint32_t tries_ = 0;
  uint64_t asked_ = 0;
  TimeUs lastAskedUs_ = kNever;
  TimeUs nextAtUs_ = kNever;
  TimeUs retryUs_ = 0;  // what the last request waits for
};

}  // namespace sluice::receive
