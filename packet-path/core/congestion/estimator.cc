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
// A packet that waited less may have found the path idle.
constexpr TimeUs kWaitedUs = 5 * kMillisecondUs;
constexpr TimeUs kBusyLeastUs = 40 * kMillisecondUs;
constexpr TimeUs kBusyWindowUs = 500 * kMillisecondUs;
constexpr TimeUs kFloorWindowUs = 60 * kMillisecondUs;
// A growing delay is an overuse only when it does not go away between two frames: a key frame of a sender that does not
// pace is a slope as well. libwebrtc, which paces, does not need to ask.
constexpr TimeUs kQueuedUs = 10 * kMillisecondUs;

constexpr TimeUs kDistressUs = 80 * kMillisecondUs;
constexpr double kDistressLoss = 0.1;

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
  const TimeUs above = delay - std::min(least_, previousLeast_);
  standingUs_ += kStandingWeight * (static_cast<double>(above) - standingUs_);
  if (floor_.windowStartUs == kNever || packet.receivedAtUs - floor_.windowStartUs >= kFloorWindowUs) {
    floor_ = {packet.receivedAtUs, above, floor_.windowStartUs == kNever ? above : floor_.current};
  }
  floor_.current = std::min(floor_.current, above);
  if (above < kWaitedUs) {
    busy_ = {};
  } else if (busy_.fromUs == kNever || packet.receivedAtUs - busy_.fromUs > kBusyWindowUs) {
    busy_ = {packet.receivedAtUs, packet.receivedAtUs, 0};
  } else {
    busy_.untilUs = packet.receivedAtUs;
    busy_.bytes += packet.bytes;
  }
}

std::optional<Bps> QueueDelay::busyRate() const {
  if (busy_.fromUs == kNever || busy_.untilUs - busy_.fromUs < kBusyLeastUs) return {};
  return static_cast<Bps>(busy_.bytes * 8 * static_cast<uint64_t>(kSecondUs) /
                          static_cast<uint64_t>(busy_.untilUs - busy_.fromUs));
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
  for (const PacketResult& packet : results_) {
    if (!isUnheardPadding(packet)) loss_.add(packet);
  }
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
  if (usage == Usage::kOverusing && queue_.floorUs() < kQueuedUs) usage = Usage::kNormal;
  std::optional<Bps> arrives = acked_.rate();
  // A capacity that fell shows in the last window first; waiting for the mean to follow fills the queue. And what was
  // not sent says nothing of it.
  if (usage == Usage::kOverusing) {
    if (const auto busy = queue_.busyRate()) {
      arrives = busy;
    } else if (acked_.recent() && queue_.standingUs() > kDrainFromUs) {
      arrives = std::min(arrives.value_or(*acked_.recent()), *acked_.recent());
    }
  }
  control_.update(usage, arrives, rttUs_, applicationLimited(), nowUs);
  if (probed && usage != Usage::kOverusing && *probed > control_.rate()) control_.setProbed(*probed, nowUs);
  if (control_.decreasedAt(nowUs)) prober_.onDecrease(control_.beforeDecrease(), nowUs);
  settle(nowUs);
  return true;
}

// Before the first padding came through, missing padding says nothing of the path.
bool Estimator::isUnheardPadding(const PacketResult& packet) {
  if (packet.content != Content::kPadding || paddingHeard_) return false;
  paddingHeard_ = packet.received();
  if (!paddingHeard_) ++paddingUnheard_;
  return !paddingHeard_;
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

void Estimator::setRtt(TimeUs rttUs) {
  rttUs_ = rttUs;
  prober_.setRtt(rttUs);
}

uint32_t Estimator::paddingDue(TimeUs nowUs) {
  if (ignoresPadding()) return 0;
  if (!run_.active()) {
    const auto probe = prober_.next(target_, nowUs);
    if (!probe) return 0;
    ++probes_;
    probeResults_.expect(*probe);
    run_.begin(withSpare(*probe, loss_.averageLoss()), nowUs);
  }
  return run_.due(nowUs);
}

bool Estimator::distressed() const {
  return queue_.floorUs() > kDistressUs || loss_.averageLoss() - loss_.inherentLoss() > kDistressLoss;
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
