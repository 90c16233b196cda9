// One continuous clock for a subscriber, whatever clocks its sources have.
#pragma once

#include <optional>

#include "../sender_clock.h"
#include "../wire/types.h"

namespace sluice::forward {

/// Where on a subscriber's clock a source's timestamps fall. Encodings of one camera have clocks that began at random;
/// their sender reports tell the same instants on all of them, so that a change of encoding is no jump in time. Until
/// both have been reported on, the time that passed between packets has to do.
class Timeline {
 public:
  explicit Timeline(uint32_t random) : offset_(random) {}

  struct Sample {
    uint32_t timestamp = 0;
    TimeUs receivedAtUs = 0;
    uint32_t clockRateHz = 0;
  };
  /// A source begins with `first`. `clock` is what its sender reported of it, `before` what was reported of the source
  /// that flowed last; null when nothing was. `sameSource`: they are one, and have one clock unless it began anew.
  void enter(const Sample& first, const SenderClock* clock, const SenderClock* before, bool sameSource);
  /// A packet of the source goes out, with the highest number so far.
  void sent(const Sample& newest) { last_ = newest; }

  /// What is added to the source's timestamps.
  [[nodiscard]] uint32_t offset() const { return offset_; }

 private:
  [[nodiscard]] std::optional<uint32_t> byReports(const Sample& first, const SenderClock& clock, uint32_t expected);

  uint32_t offset_;
  std::optional<Sample> last_;  // the newest that was sent, on its source's clock
  // An instant on the sender's clock and on the subscriber's. Kept from change to change, so that what single changes
  // give way to order does not add up.
  bool anchored_ = false;
  uint64_t anchorNtp_ = 0;
  uint32_t anchorTimestamp_ = 0;
};

}  // namespace sluice::forward
