// When to ask a publisher for a key frame: seldom, and until one came.
#pragma once

#include "../wire/types.h"

namespace sluice::receive {

class KeyFrameRequester {
 public:
  /// Between two requests. A key frame costs the publisher several frames' worth of bits; libwebrtc's encoder answers
  /// at most one request in 300 ms.
  static constexpr TimeUs kMinIntervalUs = 500 * kMillisecondUs;
  /// Requests without a key frame before giving up; whoever still waits wants again with the next packet.
  static constexpr uint32_t kMaxTries = 20;

  /// Somebody cannot go on without one.
  void want(TimeUs nowUs) {
    if (wanted_) return;
    wanted_ = true;
    tries_ = 0;
    nextAtUs_ =
        lastAskedUs_ == kNever || nowUs - lastAskedUs_ >= kMinIntervalUs ? nowUs : lastAskedUs_ + kMinIntervalUs;
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
    nextAtUs_ = nowUs + (2 * rttUs > kMinIntervalUs ? 2 * rttUs : kMinIntervalUs);
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
};

}  // namespace sluice::receive
