// When each packet of a transport arrived, told back to its sender in regular feedback
// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#pragma once

#include <array>

#include "../wire/rtcp.h"
#include "../wire/types.h"

namespace sluice::receive {

class TransportRecorder {
 public:
  /// libwebrtc's sender reacts per feedback; 100 ms is what its own receivers aim at (default of
  /// RemoteEstimatorProxy).
  static constexpr TimeUs kIntervalUs = 100 * kMillisecondUs;
  /// Unreported packets that make a feedback due at once: 100 ms at 20 Mbit/s.
  static constexpr SeqNo kMaxUnreported = 200;
  /// Numbers remembered: later ones push out earlier ones, reported or not.
  static constexpr SeqNo kWindow = 1'024;

  /// One message fits this, however short.
  static constexpr size_t kMinRoom = 64;

  void note(uint16_t wire, TimeUs nowUs);

  /// When feedback is due; kNever when nothing arrived since the last.
  [[nodiscard]] TimeUs nextDeadline() const { return dueAtUs_; }
  /// Appends one message. True when there is more: call again, with room for at least kMinRoom bytes.
  [[nodiscard]] bool write(wire::RtcpWriter& writer, Ssrc sender, Ssrc media);

 private:
  [[nodiscard]] int64_t& slot(SeqNo seq) { return ticks_[static_cast<uint64_t>(seq) % kWindow]; }

  std::array<int64_t, kWindow> ticks_{};  // arrival, or kNotReceived; valid for (highest_ - kWindow, highest_]
  SeqNo highest_ = 0;
  SeqNo next_ = 0;  // the first not yet reported
  TimeUs dueAtUs_ = kNever;
  bool started_ = false;
  uint8_t feedbackCount_ = 0;
};

}  // namespace sluice::receive
