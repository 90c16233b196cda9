#include "rate_control.h"

#include <algorithm>
#include <cmath>

namespace sluice::congestion {

namespace {

constexpr double kBeta = 0.85;               // draft §5.5: decrease to this share of what arrives
constexpr double kIncreasePerSecond = 1.08;  // draft §5.5: eta
// Well below a capacity that is known there is nothing to find out on the way up.
constexpr double kKnownShare = 0.93;
constexpr double kReturnPerSecond = 2;
constexpr TimeUs kMetUs = 5 * kSecondUs;
constexpr double kAhead = 1.5;  // draft §5.5: never more than this times what arrives
constexpr Bps kAheadFloor = 10'000;
constexpr Bps kLeastStepPerSecond = 4'000;  // libwebrtc's aimd_rate_control.cc: additive increase is at least this
constexpr double kPacketBits = 1'200 * 8;
constexpr TimeUs kResponseExtraUs = 100 * kMillisecondUs;  // draft §5.5: response_time = rtt + 100 ms
// The spread of capacity is three deviations (draft §5.5).
constexpr double kDeviations = 3;
constexpr double kOveruseWeight = 0.05;
constexpr double kProbeWeight = 0.5;

}  // namespace

void LinkCapacity::overusedAt(Bps acked) {
  update(static_cast<double>(acked) / 1000, kOveruseWeight);
}

void LinkCapacity::probedAt(Bps rate) {
  update(static_cast<double>(rate) / 1000, kProbeWeight);
}

void LinkCapacity::update(double kbps, double weight) {
  if (meanKbps_ < 0) {
    meanKbps_ = kbps;
    return;
  }
  meanKbps_ = (1 - weight) * meanKbps_ + weight * kbps;
  const double norm = std::max(meanKbps_, 1.0);
  const double error = meanKbps_ - kbps;
  variance_ = std::clamp((1 - weight) * variance_ + weight * error * error / norm, 0.4, 2.5);
}

double LinkCapacity::spreadKbps() const {
  return kDeviations * std::sqrt(variance_ * meanKbps_);
}

Bps LinkCapacity::upper() const {
  return static_cast<Bps>((meanKbps_ + spreadKbps()) * 1000);
}

Bps LinkCapacity::lower() const {
  return static_cast<Bps>(std::max(0.0, meanKbps_ - spreadKbps()) * 1000);
}

Bps RateControl::update(Usage usage, std::optional<Bps> acked, TimeUs rttUs, bool applicationLimited, TimeUs nowUs) {
  if (lastChangeUs_ == kNever) lastChangeUs_ = nowUs;
  step(usage, nowUs);
  switch (state_) {
    case State::kHold:
      break;
    case State::kIncrease:
      rate_ = increased(acked, rttUs, applicationLimited, nowUs);
      lastChangeUs_ = nowUs;
      break;
    case State::kDecrease:
      beforeDecrease_ = rate_;
      rate_ = decreased(acked);
      // Held until the queue has drained: the next word that is not "overusing" raises again (draft §5.5).
      state_ = State::kHold;
      lastChangeUs_ = nowUs;
      lastDecreaseUs_ = nowUs;
      break;
  }
  rate_ = std::clamp(rate_, limits_.min, limits_.max);
  return rate_;
}

void RateControl::setProbed(Bps rate, TimeUs nowUs) {
  capacity_.probedAt(rate);
  rate_ = std::clamp(rate, limits_.min, limits_.max);
  lastChangeUs_ = nowUs;
}

// draft §5.5, the table of states and signals.
void RateControl::step(Usage usage, TimeUs nowUs) {
  switch (usage) {
    case Usage::kNormal:
      if (state_ == State::kHold) {
        lastChangeUs_ = nowUs;
        state_ = State::kIncrease;
      }
      break;
    case Usage::kOverusing:
      state_ = State::kDecrease;
      break;
    case Usage::kUnderusing:
      state_ = State::kHold;
      break;
  }
}

Bps RateControl::increased(std::optional<Bps> acked, TimeUs rttUs, bool applicationLimited, TimeUs nowUs) {
  if (acked && capacity_.known() && *acked > capacity_.upper()) capacity_.forget();
  // More arrives than we would allow ourselves: raise up to it. But what we do not use proves nothing, so an
  // application-limited sender keeps what it has and leaves the finding to probes.
  // Where no capacity was met lately, what arrives without a queue growing is carried.
  const bool met = capacity_.known() || (lastDecreaseUs_ != kNever && nowUs - lastDecreaseUs_ < kMetUs);
  if (acked && !met && *acked > rate_) return *acked;
  const Bps ceiling = acked ? static_cast<Bps>(kAhead * static_cast<double>(*acked)) + kAheadFloor : limits_.max;
  if (rate_ >= ceiling || applicationLimited) return rate_;
  const double elapsedS = static_cast<double>(std::min(nowUs - lastChangeUs_, kSecondUs)) / 1e6;
  double step = 0;
  if (capacity_.known() && static_cast<double>(rate_) < kKnownShare * static_cast<double>(capacity_.mean())) {
    const double room = kKnownShare * static_cast<double>(capacity_.mean()) - static_cast<double>(rate_);
    step = std::min(room, static_cast<double>(rate_) * (std::pow(kReturnPerSecond, elapsedS) - 1));
  } else if (capacity_.known()) {
    // Near the capacity: about one packet per response time (draft §5.5).
    const double responseS = static_cast<double>(rttUs + kResponseExtraUs) / 1e6;
    const double perFrame = static_cast<double>(rate_) / 30;
    const double packets = std::max(1.0, std::ceil(perFrame / kPacketBits));
    const double packetBits = perFrame / packets;
    step = std::max(static_cast<double>(kLeastStepPerSecond), packetBits / responseS) * elapsedS;
  } else {
    step = std::max(static_cast<double>(rate_) * (std::pow(kIncreasePerSecond, elapsedS) - 1), 1000.0 * elapsedS);
  }
  return std::min(rate_ + static_cast<Bps>(step), ceiling);
}

Bps RateControl::decreased(std::optional<Bps> acked) {
  const Bps arrives = acked.value_or(rate_);
  Bps next = static_cast<Bps>(kBeta * static_cast<double>(arrives));
  if (next > rate_ && capacity_.known()) {
    next = std::min(next, static_cast<Bps>(kBeta * static_cast<double>(capacity_.mean())));
  }
  // An overuse never raises.
  next = std::min(next, rate_);
  if (capacity_.known() && arrives < capacity_.lower()) capacity_.forget();
  capacity_.overusedAt(arrives);
  return next;
}

}  // namespace sluice::congestion
