// Which missing packets to ask for, and when (RFC 4585 §6.2.1).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "../wire/types.h"

namespace sluice::receive {

/// Asks for each missing packet at once, again after one round trip, a bounded number of times and for a bounded
/// time. Reordering within one batch of datagrams asks for nothing, because asking happens after the batch.
class NackGenerator {
 public:
  /// libwebrtc asks ten times (nack_requester.cc, kMaxNackRetries).
  static constexpr uint8_t kMaxTries = 10;
  /// Below this a second question would often cross the first one's answer.
  static constexpr TimeUs kMinIntervalUs = 20 * kMillisecondUs;
  /// Missing at once; above, the stream has broken off rather than lost packets. 300 ms of 8 Mbit/s.
  static constexpr size_t kMaxMissing = 300;

  /// `maxAgeUs`: how long a packet is worth asking for.
  explicit NackGenerator(TimeUs maxAgeUs) : maxAgeUs_(maxAgeUs) {}

  /// [from, to) did not come before `to`. False when there are now too many: all were given up.
  [[nodiscard]] bool missing(SeqNo from, SeqNo to, TimeUs nowUs);

  /// `seq` came. The time since it was asked for when it was asked exactly once: a measured round trip.
  std::optional<TimeUs> arrived(SeqNo seq, TimeUs nowUs);

  struct Due {
    size_t count = 0;     ///< numbers written to `out`, ascending
    bool gaveUp = false;  ///< at least one number will not be asked for any more
  };
  /// What to ask for now. More than `out` holds stays due.
  Due due(TimeUs nowUs, TimeUs rttUs, std::span<uint16_t> out);

  /// When something becomes due; kNever when nothing is missing.
  [[nodiscard]] TimeUs nextDeadline() const { return nextAtUs_; }
  void clear();
  [[nodiscard]] size_t missingNow() const { return missing_.size(); }

 private:
  struct Missing {
    SeqNo seq;
    TimeUs sinceUs;
    TimeUs askedAtUs;
    TimeUs nextAtUs;
    uint8_t tries;
  };
  std::vector<Missing> missing_;  // ascending
  TimeUs maxAgeUs_;
  TimeUs nextAtUs_ = kNever;
};

}  // namespace sluice::receive
