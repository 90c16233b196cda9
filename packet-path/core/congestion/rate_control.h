// Turns the detector's word into a rate: up while the queue is calm, down to a share of what arrives when it grows
// (draft-ietf-rmcat-gcc-02 §5.5).
#pragma once

#include <optional>

#include "types.h"

namespace sluice::congestion {

/// Where the path's capacity was last found, as a mean and a spread. Known only between two overuses that agree.
class LinkCapacity {
 public:
  void overusedAt(Bps acked);
  void probedAt(Bps rate);
  void forget() { meanKbps_ = -1; }
  [[nodiscard]] bool known() const { return meanKbps_ >= 0; }
  [[nodiscard]] Bps mean() const { return static_cast<Bps>(meanKbps_ * 1000); }
  [[nodiscard]] Bps upper() const;
  [[nodiscard]] Bps lower() const;

 private:
  void update(double kbps, double weight);
  [[nodiscard]] double spreadKbps() const;

  double meanKbps_ = -1;
  double variance_ = 0.4;  // normalised by the mean
};

struct RateLimits {
  Bps min = 50'000;
  Bps max = 100'000'000;
};

class RateControl {
 public:
  RateControl(RateLimits limits, Bps start) : limits_(limits), rate_(start) {}

  /// Once per feedback message. `acked`: what arrives, where known. `applicationLimited`: we send much less than we
  /// may.
  Bps update(Usage usage, std::optional<Bps> acked, TimeUs rttUs, bool applicationLimited, TimeUs nowUs);
  /// A probe showed that the path carries this.
  void setProbed(Bps rate, TimeUs nowUs);

  [[nodiscard]] Bps rate() const { return rate_; }
  [[nodiscard]] bool decreasedAt(TimeUs nowUs) const { return lastDecreaseUs_ == nowUs; }
  /// Of the last overuse, for the prober: what we had before it.
  [[nodiscard]] Bps beforeDecrease() const { return beforeDecrease_; }

 private:
  enum class State : uint8_t { kHold, kIncrease, kDecrease };

  void step(Usage usage, TimeUs nowUs);
  [[nodiscard]] Bps increased(std::optional<Bps> acked, TimeUs rttUs, bool applicationLimited, TimeUs nowUs);
  [[nodiscard]] Bps decreased(std::optional<Bps> acked);

  RateLimits limits_;
  Bps rate_;
  State state_ = State::kHold;
  LinkCapacity capacity_;
  TimeUs lastChangeUs_ = kNever;
  TimeUs lastDecreaseUs_ = kNever;
  Bps beforeDecrease_ = 0;
};

}  // namespace sluice::congestion
