// How much the losses let us send. Losses come from two causes: the path loses a share of everything (radio), and a
// full queue loses what is above its capacity. Only the second is a reason to send less; the two are told apart by
// likelihood.
#pragma once

#include <array>
#include <optional>

#include "types.h"

namespace sluice::congestion {

/// After libwebrtc's loss_based_bwe_v2.cc: observations of sent and lost bytes over at least 250 ms each; a candidate
/// (inherent loss, limit) explains an observation by p = inherent + (1 - inherent) · (rate - limit) / rate; the most
/// likely candidate wins. The draft's own rule (§6: below 2 % raise, above 10 % halve the loss off) gives up on any
/// path that loses a tenth by itself, which is where calls over radio live.
class LossLimit {
 public:
  void add(const PacketResult& packet);
  /// After the packets of one feedback message. Returns the limit, or nothing while losses limit nothing.
  /// `delayBased`: the delay-based estimate, an upper bound.
  std::optional<Bps> update(Bps current, Bps delayBased, std::optional<Bps> acked, TimeUs nowUs);

  [[nodiscard]] double inherentLoss() const { return inherent_; }
  /// Share lost over the last observations, 0 … 1, recent ones weighing more.
  [[nodiscard]] double averageLoss() const;

 private:
  struct Observation {
    double sentPackets = 0;
    double lostPackets = 0;
    double rateBps = 0;
  };
  struct Candidate {
    double inherent;
    double limitBps;
  };
  static constexpr size_t kWindow = 20;

  [[nodiscard]] bool close(TimeUs nowUs);
  [[nodiscard]] double objective(const Candidate& candidate) const;
  [[nodiscard]] double refined(const Candidate& candidate) const;
  [[nodiscard]] double weight(size_t age) const;

  std::array<Observation, kWindow> observations_{};
  size_t count_ = 0;
  size_t next_ = 0;
  Observation open_;
  uint64_t openBytes_ = 0;
  TimeUs openedUs_ = kNever;
  TimeUs openLastSentUs_ = 0;
  double inherent_ = 0.01;
  double limitBps_ = 0;  // 0: not limited yet
  TimeUs heldUntilUs_ = 0;
};

}  // namespace sluice::congestion
