#include "prober.h"

#include <algorithm>
#include <utility>

namespace sluice::congestion {

namespace {

constexpr TimeUs kProbeUs = 15 * kMillisecondUs;      // libwebrtc: min_probe_duration
constexpr uint32_t kProbePackets = 5;                 // libwebrtc: min_probe_packets_sent
constexpr TimeUs kFeedbackUs = 300 * kMillisecondUs;  // the probe's own time, and that feedback may take
constexpr TimeUs kMaxAnswerUs = 2 * kSecondUs;
constexpr uint32_t kTries = 3;  // jitter makes a probe that says nothing
constexpr double kFirst = 3;    // libwebrtc: first_exponential_probe_scale, second_…
constexpr double kSecond = 6;
constexpr double kFurther = 2;
constexpr double kFurtherIfReached = 0.7;
constexpr double kFound = 1.15;  // less than this above the target is no find
constexpr double kPeriodic = 1.5;
constexpr TimeUs kPeriodUs = kSecondUs;
constexpr TimeUs kMaxPeriodUs = 16 * kSecondUs;  // fruitless probes are load on a path that is full
constexpr TimeUs kRecoverAfterUs = 1'500 * kMillisecondUs;
constexpr double kWantedMargin = 1.2;  // headroom over what is wanted, so that layers do not sit at the edge
constexpr double kWorthwhile = 1.05;

}  // namespace

Bps Prober::ceiling() const {
  return static_cast<Bps>(kWantedMargin * static_cast<double>(wanted_));
}

Probe Prober::make(Bps rate, TimeUs nowUs) {
  rate = std::min(rate, ceiling());
  lastId_ = static_cast<ProbeId>(lastId_ % kMaxProbeId + 1);
  underWay_ = true;
  sentUs_ = nowUs;
  sentRate_ = rate;
  const auto bytes = static_cast<uint32_t>(rate / 8 * kProbeUs / kSecondUs);
  return {lastId_, rate, bytes, kProbePackets};
}

std::optional<Probe> Prober::next(Bps target, TimeUs nowUs) {
  if (underWay_ && nowUs - sentUs_ >= answerUs()) unanswered();
  if (underWay_ || static_cast<double>(ceiling()) < kWorthwhile * static_cast<double>(target)) return {};
  if (!started_) {
    started_ = true;
    queued_ = static_cast<Bps>(kSecond * static_cast<double>(start_));
    return make(static_cast<Bps>(kFirst * static_cast<double>(start_)), nowUs);
  }
  if (queued_ > 0) {
    const Bps rate = std::exchange(queued_, 0);
    if (static_cast<double>(rate) > kWorthwhile * static_cast<double>(target)) return make(rate, nowUs);
  }
  if (nowUs < earliestUs_) return {};
  const TimeUs period = std::min(kPeriodUs << std::min(fruitless_, 4U), kMaxPeriodUs);
  earliestUs_ = nowUs + period;
  const Bps periodic = static_cast<Bps>(kPeriodic * static_cast<double>(target));
  return make(std::max(periodic, std::exchange(recoverTo_, 0)), nowUs);
}

TimeUs Prober::answerUs() const {
  return std::min(2 * rttUs_ + kFeedbackUs, kMaxAnswerUs);
}

void Prober::unanswered() {
  underWay_ = false;
  if (!laddered_ && ++unanswered_ < kTries) {
    queued_ = sentRate_;
    return;
  }
  unanswered_ = 0;
  laddered_ = true;
  queued_ = 0;
  ++fruitless_;
}

TimeUs Prober::nextDeadline(Bps target) const {
  if (underWay_) return sentUs_ + answerUs();
  if (static_cast<double>(ceiling()) < kWorthwhile * static_cast<double>(target)) return kNever;
  return started_ && queued_ == 0 ? earliestUs_ : 0;
}

void Prober::onResult(ProbeId id, Bps found, Bps target, TimeUs nowUs) {
  if (id != lastId_ || !underWay_) return;
  underWay_ = false;
  unanswered_ = 0;
  const bool reached = static_cast<double>(found) >= kFurtherIfReached * static_cast<double>(sentRate_);
  if (reached && static_cast<double>(found) >= kFound * static_cast<double>(target)) {
    fruitless_ = 0;
    const Bps further = static_cast<Bps>(kFurther * static_cast<double>(found));
    queued_ = std::max(queued_, further);
    if (sentRate_ >= ceiling()) queued_ = 0;
    laddered_ = laddered_ || queued_ == 0;
  } else {
    laddered_ = true;
    queued_ = 0;
    ++fruitless_;
  }
  earliestUs_ = nowUs + std::min(kPeriodUs << std::min(fruitless_, 4U), kMaxPeriodUs);
}

void Prober::onDecrease(Bps before, TimeUs nowUs) {
  // A short dip is over soon: ask for most of what we had. The probe finds out whether it is.
  laddered_ = true;
  queued_ = 0;
  recoverTo_ = static_cast<Bps>(0.85 * static_cast<double>(before));
  earliestUs_ = nowUs + kRecoverAfterUs;
}

std::optional<Bps> ProbeResults::add(const PacketResult& packet) {
  if (packet.probe == 0 || packet.probe != probe_.id || seen_.done || !packet.received()) return {};
  ++seen_.packets;
  seen_.bytes += packet.bytes;
  if (packet.sentAtUs < seen_.firstSentUs) seen_.firstSentUs = packet.sentAtUs;
  if (packet.sentAtUs > seen_.lastSentUs) seen_.lastSentBytes = 0;
  if (packet.sentAtUs >= seen_.lastSentUs) {
    seen_.lastSentUs = packet.sentAtUs;
    seen_.lastSentBytes += packet.bytes;
  }
  if (packet.receivedAtUs < seen_.firstArrivalUs) {
    seen_.firstArrivalUs = packet.receivedAtUs;
    seen_.firstArrivalBytes = packet.bytes;
  }
  seen_.lastArrivalUs = std::max(seen_.lastArrivalUs, packet.receivedAtUs);
  // libwebrtc asks for four fifths of both.
  if (seen_.packets * 5 < probe_.packets * 4 || seen_.bytes * 5 < uint64_t{probe_.bytes} * 4) return {};
  const TimeUs sendUs = seen_.lastSentUs - seen_.firstSentUs;
  const TimeUs arrivalUs = seen_.lastArrivalUs - seen_.firstArrivalUs;
  if (sendUs <= 0 || sendUs > kSecondUs || arrivalUs > kSecondUs) return {};
  seen_.done = true;
  // The last burst sent and the first packet to arrive only mark the ends of the intervals.
  const double sendRate = static_cast<double>(seen_.bytes - seen_.lastSentBytes) * 8e6 / static_cast<double>(sendUs);
  const double arrivalRate = static_cast<double>(seen_.bytes - seen_.firstArrivalBytes) * 8e6 /
                             static_cast<double>(std::max<TimeUs>(arrivalUs, 250));
  if (arrivalRate > 2 * sendRate) return {};  // delivered in a lump: says nothing
  // A frame that left meanwhile may have been much faster than the probe; a token bucket lets one pass.
  double found = std::min({sendRate, arrivalRate, kFurther * static_cast<double>(probe_.rate)});
  // Slower out than in: the bottleneck was filled; stay a little below it so that its queue drains.
  if (arrivalRate < 0.9 * sendRate) found = 0.95 * arrivalRate;
  return static_cast<Bps>(found);
}

}  // namespace sluice::congestion
