// How much one client gets: joins what is known of its network to what is sent to it. One for each session whose client
// gives transport-wide feedback. Joins; what is decided is decided in congestion/.
#pragma once

#include <optional>

#include "congestion/estimator.h"
#include "shard_context.h"
#include "snapshot.h"
#include "subscriptions.h"

namespace sluice {

class SendControl {
 public:
  /// What was measured is looked at this often, on the grid of the reports: one wake-up serves both.
  static constexpr TimeUs kIntervalUs = 500 * kMillisecondUs;

  SendControl(ShardContext& shard, send::Transport& transport, Subscriptions& subscriptions, TimeUs gridUs)
      : shard_(shard), transport_(transport), subscriptions_(subscriptions), gridUs_(gridUs) {}

  [[nodiscard]] congestion::Estimator& estimator() { return estimator_; }
  /// The control information of one transport-wide feedback message.
  void feedback(Bytes control, TimeUs rttUs, TimeUs nowUs);

  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);

  [[nodiscard]] SendSnapshot snapshot() const;

 private:
  void look(TimeUs nowUs);
  void probe(TimeUs nowUs);
  /// A stream whose retransmissions can carry a probe: it has flowed, so that its receiver knows it.
  [[nodiscard]] Subscriber* carrier();

  ShardContext& shard_;
  send::Transport& transport_;
  Subscriptions& subscriptions_;
  TimeUs gridUs_;
  congestion::Estimator estimator_{congestion::EstimatorConfig{}};
  std::optional<Ssrc> carrier_;
  TimeUs nextLookUs_ = kNever;  // from the first feedback on
  TimeUs lookedUs_ = 0;
  uint64_t lookedBytes_ = 0;
};

}  // namespace sluice
