// Who speaks, and how loudly, from the levels that packets carry (RFC 6464). The constants are those that LiveKit's
// clients are used to.
#pragma once

#include <optional>

#include "../wire/types.h"

namespace sluice::receive {

class AudioActivity {
 public:
  static constexpr TimeUs kWindowUs = 400 * kMillisecondUs;
  /// -dBov; a packet at most this far below full scale is active.
  static constexpr uint8_t kActiveLevel = 35;
  /// Of a window's packets, in percent.
  static constexpr uint32_t kMinActivePercent = 40;
  /// Exponential smoothing over two windows: 2 / (n + 1).
  static constexpr double kSmoothing = 2.0 / 3.0;
  /// Levels are told in eighths.
  static constexpr double kSteps = 8;

  struct State {
    bool active = false;
    float level = 0;  ///< linear, in eighths; 0 when not active
    friend bool operator==(const State&, const State&) = default;
  };

  /// A packet with this level (-dBov, 0…127). The new state when a window ended with a change.
  std::optional<State> note(uint8_t level, TimeUs nowUs);
  /// To be called at nextDeadline(): a stream that fell silent by sending nothing is told so too.
  std::optional<State> onDeadline(TimeUs nowUs);
  /// kNever when silent.
  [[nodiscard]] TimeUs nextDeadline() const;

  [[nodiscard]] const State& state() const { return state_; }
  /// Linear, 0 … 1, before it is cut into eighths.
  [[nodiscard]] double smoothed() const { return smoothed_; }

 private:
  std::optional<State> endWindow(TimeUs nowUs);

  State state_;
  double smoothed_ = 0;
  TimeUs windowStartUs_ = kNever;
  uint32_t packets_ = 0;
  uint32_t activePackets_ = 0;
  uint8_t loudest_ = 127;
};

}  // namespace sluice::receive
