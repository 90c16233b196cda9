#include "delay_detector.h"

#include <algorithm>
#include <cmath>

namespace sluice::congestion {

namespace {

constexpr TimeUs kGroupUs = 5 * kMillisecondUs;       // draft §5.2: burst_time
constexpr TimeUs kMaxGroupUs = 100 * kMillisecondUs;  // a burst that never ends is no burst
constexpr TimeUs kClockJumpUs = 3 * kSecondUs;        // a receiver whose clock jumped

// The filter's constants are libwebrtc's (trendline_estimator.cc): the draft leaves them to the implementation.
constexpr double kSmoothing = 0.9;
constexpr double kGain = 4.0;
constexpr uint32_t kFullConfidenceDeltas = 60;
constexpr double kOveruseMs = 10;  // draft §5.4: overuse_time_th

// draft §5.4: K_u and K_d, per ms; the range of del_var_th; values off by more than 15 ms are outliers.
constexpr double kUp = 0.0087;
constexpr double kDown = 0.039;
constexpr double kThresholdMin = 6;
constexpr double kThresholdMax = 600;
constexpr double kOutlierMs = 15;
constexpr double kMaxStepMs = 100;

double toMs(TimeUs us) {
  return static_cast<double>(us) / 1000.0;
}

}  // namespace

bool GroupDeltas::belongs(TimeUs sentAtUs, TimeUs receivedAtUs) const {
  if (sentAtUs - current_->firstSentUs <= kGroupUs) return true;
  // Sent apart but delivered in a lump: the path held it up once for all of them (draft §5.2).
  const TimeUs sendDelta = sentAtUs - current_->lastSentUs;
  const TimeUs arrivalDelta = receivedAtUs - current_->lastArrivalUs;
  return arrivalDelta - sendDelta < 0 && arrivalDelta <= kGroupUs &&
         receivedAtUs - current_->firstArrivalUs < kMaxGroupUs;
}

std::optional<GroupDelta> GroupDeltas::add(TimeUs sentAtUs, TimeUs receivedAtUs) {
  if (!current_) {
    current_ = Group{sentAtUs, sentAtUs, receivedAtUs, receivedAtUs};
    return {};
  }
  if (sentAtUs < current_->firstSentUs) return {};  // overtaken on the way: its group is closed
  if (belongs(sentAtUs, receivedAtUs)) {
    current_->lastSentUs = std::max(current_->lastSentUs, sentAtUs);
    current_->lastArrivalUs = std::max(current_->lastArrivalUs, receivedAtUs);
    return {};
  }
  std::optional<GroupDelta> delta;
  if (previous_) {
    delta =
        GroupDelta{current_->lastSentUs - previous_->lastSentUs, current_->lastArrivalUs - previous_->lastArrivalUs};
    if (delta->arrivalUs < 0 || delta->arrivalUs - delta->sendUs > kClockJumpUs) delta.reset();
  }
  previous_ = current_;
  current_ = Group{sentAtUs, sentAtUs, receivedAtUs, receivedAtUs};
  return delta;
}

void DelayDetector::add(const PacketResult& packet, TimeUs nowUs) {
  if (const auto delta = groups_.add(packet.sentAtUs, packet.receivedAtUs))
    addDelta(*delta, packet.receivedAtUs, nowUs);
}

void DelayDetector::addDelta(const GroupDelta& delta, TimeUs arrivalUs, TimeUs nowUs) {
  if (firstArrivalUs_ == kNever) firstArrivalUs_ = arrivalUs;
  deltas_ = std::min(deltas_ + 1, 1000U);
  accumulatedMs_ += toMs(delta.arrivalUs - delta.sendUs);
  smoothedMs_ = kSmoothing * smoothedMs_ + (1 - kSmoothing) * accumulatedMs_;
  points_[next_] = {toMs(arrivalUs - firstArrivalUs_), smoothedMs_};
  next_ = (next_ + 1) % kWindow;
  count_ = std::min(count_ + 1, kWindow);
  const double trend = count_ == kWindow ? slope().value_or(previousTrend_) : previousTrend_;
  detect(trend, toMs(delta.sendUs), nowUs);
}

// Least squares over the window.
std::optional<double> DelayDetector::slope() const {
  double meanX = 0;
  double meanY = 0;
  for (const Point& p : points_) {
    meanX += p.arrivalMs;
    meanY += p.smoothedDelayMs;
  }
  meanX /= kWindow;
  meanY /= kWindow;
  double numerator = 0;
  double denominator = 0;
  for (const Point& p : points_) {
    numerator += (p.arrivalMs - meanX) * (p.smoothedDelayMs - meanY);
    denominator += (p.arrivalMs - meanX) * (p.arrivalMs - meanX);
  }
  if (denominator == 0) return {};
  return numerator / denominator;
}

void DelayDetector::detect(double trend, double sendDeltaMs, TimeUs nowUs) {
  if (deltas_ < 2) {
    usage_ = Usage::kNormal;
    return;
  }
  modifiedTrend_ = std::min(deltas_, kFullConfidenceDeltas) * trend * kGain;
  if (modifiedTrend_ > threshold_) {
    overusingMs_ = overusingMs_ < 0 ? sendDeltaMs / 2 : overusingMs_ + sendDeltaMs;
    ++overuses_;
    // Told only when it lasts and does not ease (draft §5.4).
    if (overusingMs_ > kOveruseMs && overuses_ > 1 && trend >= previousTrend_) {
      overusingMs_ = 0;
      overuses_ = 0;
      usage_ = Usage::kOverusing;
    }
  } else {
    overusingMs_ = -1;
    overuses_ = 0;
    usage_ = modifiedTrend_ < -threshold_ ? Usage::kUnderusing : Usage::kNormal;
  }
  previousTrend_ = trend;
  adapt(modifiedTrend_, nowUs);
}

void DelayDetector::adapt(double modifiedTrend, TimeUs nowUs) {
  const double magnitude = std::fabs(modifiedTrend);
  if (thresholdAtUs_ == kNever) thresholdAtUs_ = nowUs;
  if (magnitude <= threshold_ + kOutlierMs) {
    const double k = magnitude < threshold_ ? kDown : kUp;
    const double stepMs = std::min(toMs(nowUs - thresholdAtUs_), kMaxStepMs);
    threshold_ = std::clamp(threshold_ + k * (magnitude - threshold_) * stepMs, kThresholdMin, kThresholdMax);
  }
  thresholdAtUs_ = nowUs;
}

}  // namespace sluice::congestion
