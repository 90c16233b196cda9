// How fast may we send to this client? One estimator a session; joins the parts, decides nothing itself.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "acked_rate.h"
#include "delay_detector.h"
#include "loss_limit.h"
#include "probe_run.h"
#include "prober.h"
#include "rate_control.h"
#include "sent_log.h"
#include "types.h"

namespace sluice::congestion {

struct EstimatorConfig {
  RateLimits limits;
  Bps start = 300'000;  ///< before anything is known: libwebrtc's and most access networks' least
};

/// For statistics: every decision of the estimator can be read here.
struct EstimatorSnapshot {
  Bps target = 0;
  Bps delayBased = 0;
  std::optional<Bps> lossLimit;
  std::optional<Bps> acked;
  Usage usage = Usage::kNormal;
  double trend = 0;
  double threshold = 0;
  double loss = 0;
  double inherentLoss = 0;
  uint64_t bytesInFlight = 0;
  TimeUs queueUs = 0;
  uint64_t probes = 0;
};

/// How long packets wait in queues beyond the least the path takes, smoothed over the last few.
class QueueDelay {
 public:
  void add(const PacketResult& packet, TimeUs nowUs);
  [[nodiscard]] TimeUs standingUs() const { return static_cast<TimeUs>(standingUs_); }
  /// What even the fastest of the last 60 to 120 ms have waited: a queue that is empty between two frames is none,
  /// however long the frames wait for each other.
  [[nodiscard]] TimeUs floorUs() const { return std::min(floor_.current, floor_.previous); }
  /// How fast packets came while each of them had waited: what the path carries, however much is sent. Nothing when
  /// that was too short to tell.
  [[nodiscard]] std::optional<Bps> busyRate() const;
  /// What share of the target to use until the queue is empty, 0.5 … 1.
  [[nodiscard]] double drainShare() const;

 private:
  TimeUs windowStartUs_ = kNever;
  TimeUs least_ = 0;
  TimeUs previousLeast_ = 0;
  double standingUs_ = 0;
  struct Floor {
    TimeUs windowStartUs = kNever;  // by the receiver's clock
    TimeUs current = 0;
    TimeUs previous = 0;
  };
  Floor floor_;
  struct Busy {
    TimeUs fromUs = kNever;  // by the receiver's clock
    TimeUs untilUs = 0;
    uint64_t bytes = 0;  // without the first packet
  };
  Busy busy_;
};

class Estimator {
 public:
  explicit Estimator(EstimatorConfig config);

  /// A packet left now under this transport-wide sequence number.
  void onSend(uint16_t seq, uint32_t bytes, TimeUs nowUs, Content content = Content::kMedia) {
    sent_.note(seq, bytes, run_.sent(bytes, nowUs), content, nowUs);
  }
  /// One transport-wide feedback message. True when the target may have changed.
  bool onFeedback(Bytes control, TimeUs nowUs);
  void setRtt(TimeUs rttUs);
  /// The most that could be used; bounds probing, and tells application-limited from limited.
  void setWanted(Bps wanted);

  /// Octets of padding to send now, beyond media: begins a probe when one is due, and goes on with the one under way.
  /// To be called only by whoever can send them.
  [[nodiscard]] uint32_t paddingDue(TimeUs nowUs);
  [[nodiscard]] TimeUs nextDeadline() const {
    if (ignoresPadding()) return kNever;
    return run_.active() ? run_.nextDeadline() : prober_.nextDeadline(target_);
  }

  [[nodiscard]] Bps target() const { return target_; }
  /// What is sent now harms: it waits in a queue that does not empty, or is lost beyond what the path always loses.
  [[nodiscard]] bool distressed() const;
  /// Feedback came: the target is more than a guess.
  [[nodiscard]] bool heard() const { return heard_; }
  /// The first probes have not told yet what the path carries.
  [[nodiscard]] bool startsUp() const { return prober_.startsUp() && !ignoresPadding(); }
  /// The receiver reports media and never padding: what is free can only be found out by sending media.
  [[nodiscard]] bool ignoresPadding() const { return !paddingHeard_ && paddingUnheard_ >= kPaddingProof; }
  /// Packets queue up, or what is sent does harm.
  [[nodiscard]] bool congested() const { return delay_.usage() == Usage::kOverusing || distressed(); }
  [[nodiscard]] EstimatorSnapshot snapshot() const;

 private:
  /// So much padding reported missing, and none received, is no accident of a path that carries media.
  static constexpr uint32_t kPaddingProof = 12;

  [[nodiscard]] bool isUnheardPadding(const PacketResult& packet);
  void settle(TimeUs nowUs);
  [[nodiscard]] bool applicationLimited() const;

  SentLog sent_;
  DelayDetector delay_;
  QueueDelay queue_;
  AckedRate acked_;
  RateControl control_;
  LossLimit loss_;
  Prober prober_;
  ProbeRun run_;
  ProbeResults probeResults_;
  std::vector<PacketResult> results_;
  TimeUs rttUs_ = 200 * kMillisecondUs;
  Bps wanted_ = 0;
  Bps target_;
  std::optional<Bps> lossLimit_;
  uint64_t probes_ = 0;
  bool heard_ = false;
  bool paddingHeard_ = false;
  uint32_t paddingUnheard_ = 0;
};

}  // namespace sluice::congestion
