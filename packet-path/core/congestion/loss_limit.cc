#include "loss_limit.h"

#include <algorithm>
#include <cmath>

namespace sluice::congestion {

namespace {

constexpr TimeUs kObservationUs = 250 * kMillisecondUs;
constexpr double kTemporalFactor = 0.9;  // weight of an observation against the next newer one
constexpr size_t kLeastObservations = 3;
constexpr double kMaxInherent = 0.6;
constexpr double kNewtonStep = 0.75;
constexpr int kNewtonRounds = 2;
// Among equally likely causes, prefer the one that sends more, per kbit/s: a wrong "radio" costs a queue that the delay
// detector sees, a wrong "queue" costs the picture. libwebrtc's weights; it stops preferring at 15 % of loss, we go on
// to where audio with redundancy is still usable.
constexpr double kHigherLimitBias = 0.0002;
constexpr double kHigherLimitLogBias = 0.02;
constexpr double kPreferUpToLoss = 0.4;
// Less than this is normal on any path.
constexpr double kUnremarkableLoss = 0.02;
constexpr double kRise = 1.3;
constexpr TimeUs kHoldUs = 300 * kMillisecondUs;

double explainedLoss(double inherent, double limitBps, double rateBps) {
  double p = inherent;
  if (rateBps > limitBps && rateBps > 0) p += (1 - inherent) * (rateBps - limitBps) / rateBps;
  return std::clamp(p, 1e-6, 1 - 1e-6);
}

}  // namespace

void LossLimit::add(const PacketResult& packet) {
  if (openedUs_ == kNever) openedUs_ = packet.sentAtUs;
  openLastSentUs_ = std::max(openLastSentUs_, packet.sentAtUs);
  open_.sentPackets += 1;
  if (!packet.received()) open_.lostPackets += 1;
  openBytes_ += packet.bytes;
}

bool LossLimit::close(TimeUs) {
  if (openedUs_ == kNever || openLastSentUs_ - openedUs_ < kObservationUs) return false;
  open_.rateBps = static_cast<double>(openBytes_) * 8e6 / static_cast<double>(openLastSentUs_ - openedUs_);
  observations_[next_] = open_;
  next_ = (next_ + 1) % kWindow;
  count_ = std::min(count_ + 1, kWindow);
  open_ = Observation{};
  openBytes_ = 0;
  openedUs_ = kNever;
  return true;
}

double LossLimit::weight(size_t age) const {
  // Some hundreds are asked for after each observation.
  static const std::array<double, kWindow> weights = [] {
    std::array<double, kWindow> out{};
    for (size_t i = 0; i < kWindow; ++i) out[i] = std::pow(kTemporalFactor, static_cast<double>(i));
    return out;
  }();
  return weights[age];
}

double LossLimit::averageLoss() const {
  double sent = 0;
  double lost = 0;
  for (size_t age = 0; age < count_; ++age) {
    const Observation& o = observations_[(next_ + kWindow - 1 - age) % kWindow];
    sent += weight(age) * o.sentPackets;
    lost += weight(age) * o.lostPackets;
  }
  return sent > 0 ? lost / sent : 0;
}

double LossLimit::objective(const Candidate& c) const {
  double sum = 0;
  const double kbps = c.limitBps / 1000;
  const double bias =
      averageLoss() < kPreferUpToLoss ? kHigherLimitBias * kbps + kHigherLimitLogBias * std::log(1 + kbps) : 0;
  for (size_t age = 0; age < count_; ++age) {
    const Observation& o = observations_[(next_ + kWindow - 1 - age) % kWindow];
    const double p = explainedLoss(c.inherent, c.limitBps, o.rateBps);
    sum += weight(age) * (o.lostPackets * std::log(p) + (o.sentPackets - o.lostPackets) * std::log(1 - p));
    sum += weight(age) * bias * o.sentPackets;
  }
  return sum;
}

// Newton's method on the inherent loss, the limit held.
double LossLimit::refined(const Candidate& c) const {
  double inherent = c.inherent;
  for (int round = 0; round < kNewtonRounds; ++round) {
    double first = 0;
    double second = 0;
    for (size_t age = 0; age < count_; ++age) {
      const Observation& o = observations_[(next_ + kWindow - 1 - age) % kWindow];
      const double p = explainedLoss(inherent, c.limitBps, o.rateBps);
      const double w = weight(age);
      const double got = o.sentPackets - o.lostPackets;
      first += w * (o.lostPackets / p - got / (1 - p));
      second -= w * (o.lostPackets / (p * p) + got / ((1 - p) * (1 - p)));
    }
    if (second != 0) inherent -= kNewtonStep * first / second;
    inherent = std::clamp(inherent, 1e-4, kMaxInherent);
  }
  return inherent;
}

std::optional<Bps> LossLimit::update(Bps current, Bps delayBased, std::optional<Bps> acked, TimeUs nowUs) {
  const bool fresh = close(nowUs);
  const auto upper = static_cast<double>(delayBased);
  if (fresh && count_ >= kLeastObservations) {
    const auto now = static_cast<double>(current);
    const double believed = limitBps_ > 0 ? limitBps_ : now;
    const double candidates[] = {
        1.02 * believed, 1.0 * believed, 0.95 * believed, now, upper, acked ? static_cast<double>(*acked) : believed};
    Candidate best{inherent_, believed};
    double bestValue = -1e300;
    for (const double limit : candidates) {
      Candidate c{inherent_, std::clamp(limit, 1.0, upper)};
      c.inherent = refined(c);
      const double value = objective(c);
      if (value > bestValue) {
        bestValue = value;
        best = c;
      }
    }
    inherent_ = best.inherent;
    const double before = believed;
    if (averageLoss() < kUnremarkableLoss) {
      limitBps_ = 0;
    } else if (best.limitBps < now && nowUs >= heldUntilUs_) {
      limitBps_ = best.limitBps;
      heldUntilUs_ = nowUs + kHoldUs;
    } else if (best.limitBps >= now && nowUs >= heldUntilUs_) {
      // Rises by steps: what was lost a moment ago is not forgotten at once.
      limitBps_ = std::min({best.limitBps, before * kRise, upper});
    }
  }
  if (limitBps_ <= 0 || limitBps_ >= upper) return {};
  return static_cast<Bps>(limitBps_);
}

}  // namespace sluice::congestion
