#include "acked_rate.h"

namespace sluice::congestion {

namespace {

constexpr TimeUs kFirstWindowUs = 500 * kMillisecondUs;
constexpr TimeUs kWindowUs = 150 * kMillisecondUs;
// A silence this long says that nothing was sent, not that nothing gets through.
constexpr TimeUs kSilenceUs = 2 * kSecondUs;
constexpr double kUncertaintyScale = 10;
constexpr double kProcessVariance = 5;  // what belief loses between samples

}  // namespace

void AckedRate::add(TimeUs receivedAtUs, uint32_t bytes) {
  if (windowStartUs_ == kNever || receivedAtUs - lastUs_ > kSilenceUs) {
    windowStartUs_ = receivedAtUs;
    windowBytes_ = 0;
  }
  lastUs_ = receivedAtUs;
  const TimeUs window = estimateBps_ < 0 ? kFirstWindowUs : kWindowUs;
  if (receivedAtUs - windowStartUs_ >= window) {
    sample(static_cast<double>(windowBytes_) * 8e6 / static_cast<double>(receivedAtUs - windowStartUs_));
    windowStartUs_ = receivedAtUs;
    windowBytes_ = 0;
  }
  windowBytes_ += bytes;
}

void AckedRate::sample(double bps) {
  recentBps_ = bps;
  if (estimateBps_ < 0) {
    estimateBps_ = bps;
    return;
  }
  // How unlikely the sample is, relative to what is believed.
  const double difference = bps > estimateBps_ ? bps - estimateBps_ : estimateBps_ - bps;
  const double uncertainty = kUncertaintyScale * difference / (estimateBps_ + 1);
  const double sampleVariance = uncertainty * uncertainty;
  const double predicted = variance_ + kProcessVariance;
  estimateBps_ = (sampleVariance * estimateBps_ + predicted * bps) / (sampleVariance + predicted);
  variance_ = sampleVariance * predicted / (sampleVariance + predicted);
}

std::optional<Bps> AckedRate::rate() const {
  if (estimateBps_ < 0) return {};
  return static_cast<Bps>(estimateBps_);
}

std::optional<Bps> AckedRate::recent() const {
  if (recentBps_ < 0) return {};
  return static_cast<Bps>(recentBps_);
}

}  // namespace sluice::congestion
