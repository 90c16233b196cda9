#include "audio_activity.h"

#include <algorithm>
#include <cmath>

namespace sluice::receive {

namespace {

double linear(double belowFullScale) {
  return std::pow(10.0, -belowFullScale / 20.0);
}

}  // namespace

std::optional<AudioActivity::State> AudioActivity::note(uint8_t level, TimeUs nowUs) {
  std::optional<State> change;
  if (windowStartUs_ == kNever) windowStartUs_ = nowUs;
  if (nowUs - windowStartUs_ >= kWindowUs) change = endWindow(nowUs);
  ++packets_;
  if (level <= kActiveLevel) {
    ++activePackets_;
    loudest_ = std::min(loudest_, level);
  }
  return change;
}

TimeUs AudioActivity::nextDeadline() const {
  // One window without packets is discontinuous transmission (a comfort noise packet every 400 ms), two are silence.
  return windowStartUs_ == kNever || (!state_.active && smoothed_ == 0) ? kNever : windowStartUs_ + 2 * kWindowUs;
}

std::optional<AudioActivity::State> AudioActivity::onDeadline(TimeUs nowUs) {
  return nowUs >= nextDeadline() ? endWindow(nowUs) : std::nullopt;
}

std::optional<AudioActivity::State> AudioActivity::endWindow(TimeUs nowUs) {
  double level = 0;
  if (activePackets_ > 0 && activePackets_ * 100 >= packets_ * kMinActivePercent) {
    level = linear(loudest_) * activePackets_ / packets_;
  }
  smoothed_ += (level - smoothed_) * kSmoothing;
  const double threshold = linear(kActiveLevel);
  if (smoothed_ < threshold / kSteps) smoothed_ = 0;  // so that silence ends
  State next;
  next.active = smoothed_ >= threshold;
  if (next.active) next.level = static_cast<float>(std::min(1.0, std::ceil(smoothed_ * kSteps) / kSteps));

  windowStartUs_ = nowUs;
  packets_ = activePackets_ = 0;
  loudest_ = 127;
  if (next == state_) return {};
  state_ = next;
  return next;
}

}  // namespace sluice::receive
