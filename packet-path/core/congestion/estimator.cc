#include "estimator.h"

#include <algorithm>
#include <cmath>

namespace sluice::congestion {

namespace {

// Less than this share of the target is used: what arrives says how much we sent, not how much the path carries.
constexpr double kApplicationLimitedShare = 0.65;
// A queue that the detector has not emptied by itself is emptied by sending less than arrives: at 300 ms half as much.
constexpr TimeUs kDrainFromUs = 60 * kMillisecondUs;
constexpr TimeUs kDrainFullUs = 300 * kMillisecondUs;
constexpr double kDrainLeast = 0.5;
// The least delay of the last 10 to 20 s is that of the empty path.
constexpr TimeUs kBaseWindowUs = 10 * kSecondUs;
constexpr double kStandingWeight = 0.2;

/// Reordering on the path must not look like delay.
bool arrivedBefore(const PacketResult& a, const PacketResult& b) {
  return a.receivedAtUs != b.receivedAtUs ? a.receivedAtUs < b.receivedAtUs : a.seq < b.seq;
}

/// A path that loses packets must be left enough of a probe to tell by.
Probe withSpare(Probe probe, double loss) {
  const double spare = 1 / (1 - std::min(loss, 0.6));
  probe.bytes = static_cast<uint32_t>(spare * probe.bytes);
  probe.packets = static_cast<uint32_t>(std::ceil(spare * probe.packets));
  return probe;
}

}  // namespace

void QueueDelay::add(const PacketResult& packet, TimeUs nowUs) {
  const TimeUs delay = packet.receivedAtUs - packet.sentAtUs;
  if (windowStartUs_ == kNever || nowUs - windowStartUs_ >= kBaseWindowUs) {
    previousLeast_ = windowStartUs_ == kNever ? delay : least_;
    least_ = delay;
    windowStartUs_ = nowUs;
  }
  least_ = std::min(least_, delay);
  const auto above = static_cast<double>(delay - std::min(least_, previousLeast_));
  standingUs_ += kStandingWeight * (above - standingUs_);
}

double QueueDelay::drainShare() const {
  const double above = standingUs_ - static_cast<double>(kDrainFromUs);
  if (above <= 0) return 1;
  const double full = static_cast<double>(kDrainFullUs - kDrainFromUs);
  return std::max(kDrainLeast, 1 - (1 - kDrainLeast) * above / full);
}

Estimator::Estimator(EstimatorConfig config)
    : control_(config.limits, config.start), prober_(config.start), target_(config.start) {}

bool Estimator::onFeedback(Bytes control, TimeUs nowUs) {
  results_.clear();
  if (!sent_.read(control, results_) || results_.empty()) return false;
  heard_ = true;
  for (const PacketResult& packet : results_) loss_.add(packet);
  std::sort(results_.begin(), results_.end(), arrivedBefore);
  std::optional<Bps> probed;
  Usage usage = Usage::kNormal;
  for (const PacketResult& packet : results_) {
    if (!packet.received()) break;  // kNever sorts last
    acked_.add(packet.receivedAtUs, packet.bytes);
    delay_.add(packet, nowUs);
    queue_.add(packet, nowUs);
    if (delay_.usage() == Usage::kOverusing) usage = Usage::kOverusing;
    if (const auto found = probeResults_.add(packet)) {
      probed = found;
      prober_.onResult(packet.probe, *found, target_, nowUs);
    }
  }
  if (usage != Usage::kOverusing) usage = delay_.usage();
  std::optional<Bps> arrives = acked_.rate();
  // A capacity that fell shows in the last window first; waiting for the mean to follow fills the queue.
  if (usage == Usage::kOverusing && acked_.recent() && queue_.standingUs() > kDrainFromUs) {
    arrives = std::min(arrives.value_or(*acked_.recent()), *acked_.recent());
  }
  control_.update(usage, arrives, rttUs_, applicationLimited(), nowUs);
  if (probed && usage != Usage::kOverusing && *probed > control_.rate()) control_.setProbed(*probed, nowUs);
  if (control_.decreasedAt(nowUs)) prober_.onDecrease(control_.beforeDecrease(), nowUs);
  settle(nowUs);
  return true;
}

void Estimator::settle(TimeUs nowUs) {
  lossLimit_ = loss_.update(target_, control_.rate(), acked_.rate(), nowUs);
  target_ = lossLimit_ ? std::min(*lossLimit_, control_.rate()) : control_.rate();
  target_ = static_cast<Bps>(static_cast<double>(target_) * queue_.drainShare());
}

bool Estimator::applicationLimited() const {
  const auto acked = acked_.rate();
  return acked && static_cast<double>(*acked) < kApplicationLimitedShare * static_cast<double>(control_.rate());
}

void Estimator::setWanted(Bps wanted) {
  wanted_ = wanted;
  prober_.setWanted(wanted);
}

uint32_t Estimator::paddingDue(TimeUs nowUs) {
  if (!run_.active()) {
    const auto probe = prober_.next(target_, nowUs);
    if (!probe) return 0;
    ++probes_;
    probeResults_.expect(*probe);
    run_.begin(withSpare(*probe, loss_.averageLoss()), nowUs);
  }
  return run_.due(nowUs);
}

EstimatorSnapshot Estimator::snapshot() const {
  return {target_,
          control_.rate(),
          lossLimit_,
          acked_.rate(),
          delay_.usage(),
          delay_.modifiedTrend(),
          delay_.threshold(),
          loss_.averageLoss(),
          loss_.inherentLoss(),
          sent_.bytesInFlight(),
          queue_.standingUs(),
          probes_};
}

}  // namespace sluice::congestion
