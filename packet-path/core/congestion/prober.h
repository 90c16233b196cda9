// Finding capacity that is not used yet: short bursts above the estimate (draft-ietf-rmcat-gcc-02 leaves this open;
// the rules are libwebrtc's probe_controller.cc and probe_bitrate_estimator.cc, with our own bounds).
#pragma once

#include <optional>
#include <vector>

#include "types.h"

namespace sluice::congestion {

/// One probe: at least this much, at this rate.
struct Probe {
  ProbeId id = 0;
  Bps rate = 0;
  uint32_t bytes = 0;
  uint32_t packets = 0;
};

/// Decides when to probe and how high.
class Prober {
 public:
  explicit Prober(Bps start) : start_(start) {}

  /// The most that could be used now: every wanted track in its best wanted layer. Nothing is probed beyond.
  void setWanted(Bps wanted) { wanted_ = wanted; }
  void setRtt(TimeUs rttUs) { rttUs_ = rttUs; }
  /// What the probe found, and the target before it.
  void onResult(ProbeId id, Bps found, Bps target, TimeUs nowUs);
  /// The target was lowered from `before`.
  void onDecrease(Bps before, TimeUs nowUs);

  /// A probe to send now, if one is due. At most one is under way.
  [[nodiscard]] std::optional<Probe> next(Bps target, TimeUs nowUs);
  /// The first ladder of probes is not through.
  [[nodiscard]] bool startsUp() const { return !laddered_; }
  /// When `next` may say something new; kNever while nothing is wanted.
  [[nodiscard]] TimeUs nextDeadline(Bps target) const;

 private:
  [[nodiscard]] Bps ceiling() const;
  /// The answer to a probe is not later than this.
  [[nodiscard]] TimeUs answerUs() const;
  void unanswered();
  [[nodiscard]] Probe make(Bps rate, TimeUs nowUs);

  Bps start_;
  Bps wanted_ = 0;
  ProbeId lastId_ = 0;
  bool underWay_ = false;
  TimeUs sentUs_ = 0;
  Bps sentRate_ = 0;
  Bps queued_ = 0;  // the next one of a ladder
  bool started_ = false;
  bool laddered_ = false;
  TimeUs earliestUs_ = 0;
  uint32_t fruitless_ = 0;
  uint32_t unanswered_ = 0;  // one after the other
  TimeUs rttUs_ = 200 * kMillisecondUs;
  Bps recoverTo_ = 0;
};

/// Reads what the path carried out of the results of one probe's packets.
class ProbeResults {
 public:
  void expect(const Probe& probe) { probe_ = probe, seen_ = Seen{}; }
  /// The found rate, once enough packets of the probe were reported.
  [[nodiscard]] std::optional<Bps> add(const PacketResult& packet);

 private:
  struct Seen {
    uint32_t packets = 0;
    uint64_t bytes = 0;
    TimeUs firstSentUs = kNever;
    TimeUs lastSentUs = 0;
    TimeUs firstArrivalUs = kNever;
    TimeUs lastArrivalUs = 0;
    uint32_t lastSentBytes = 0;  // all of the last moment
    uint32_t firstArrivalBytes = 0;
    bool done = false;
  };
  Probe probe_;
  Seen seen_;
};

}  // namespace sluice::congestion
