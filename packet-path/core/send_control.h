// How much one client gets: joins what is known of its network to what is sent to it. One for each session whose client
// gives transport-wide feedback. Joins; what is decided is decided in congestion/ and by Allotment.
#pragma once

#include <optional>
#include <vector>

#include "allotment.h"
#include "congestion/estimator.h"
#include "shard_context.h"
#include "snapshot.h"
#include "subscriptions.h"

namespace sluice {

class SendControl {
 public:
  /// What was measured is looked at this often, on the grid of the reports: one wake-up serves both.
  static constexpr TimeUs kIntervalUs = 500 * kMillisecondUs;
  /// So often while something is wanted of which nothing is known yet, or less is given than wanted.
  static constexpr TimeUs kShortIntervalUs = 100 * kMillisecondUs;
  /// A client that says so long nothing of what came has no feedback to give: it gets everything.
  static constexpr TimeUs kSilenceUs = kSecondUs;
  /// What the path carries is a guess until the first probes have told, or for so long.
  static constexpr TimeUs kGuessUs = 3 * kSecondUs;

  SendControl(ShardContext& shard, send::Transport& transport, Subscriptions& subscriptions, TimeUs gridUs)
      : shard_(shard), transport_(transport), subscriptions_(subscriptions), gridUs_(gridUs) {}

  [[nodiscard]] congestion::Estimator& estimator() { return estimator_; }
  /// The subscriptions have changed.
  void changed(TimeUs nowUs);
  /// The control information of one transport-wide feedback message.
  void feedback(Bytes control, TimeUs rttUs, TimeUs nowUs);

  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs);

  [[nodiscard]] SendSnapshot snapshot() const;

 private:
  /// What is measured of one subscription between two looks.
  struct Share {
    Ssrc ssrc = 0;
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t resentBytes = 0;
    bool known = false;  // by this look
  };

  void look(TimeUs nowUs);
  void measure(TimeUs nowUs);
  void allot(TimeUs nowUs);
  void probe(TimeUs nowUs);
  [[nodiscard]] bool givesFeedback(TimeUs nowUs) const;
  [[nodiscard]] Share& shareOf(Ssrc ssrc);
  /// A stream whose retransmissions can carry a probe: it has flowed, so that its receiver knows it.
  [[nodiscard]] Subscriber* carrier();

  ShardContext& shard_;
  send::Transport& transport_;
  Subscriptions& subscriptions_;
  TimeUs gridUs_;
  congestion::Estimator estimator_{congestion::EstimatorConfig{}};
  Allotment allotment_;
  std::optional<Ssrc> carrier_;
  std::vector<Share> shares_;

  TimeUs sentUs_ = kNever;   // since when something was sent, as far as was looked
  TimeUs heardUs_ = kNever;  // its first feedback
  TimeUs nextLookUs_ = kNever;
  TimeUs lookedUs_ = kNever;
  TimeUs allottedUs_ = kNever;
  congestion::Bps allottedBy_ = 0;  // the target then
  congestion::Bps reserved_ = 0;    // of it for audio and repairs
  bool unknown_ = false;            // of some track nothing is known yet

  // Scratch of an allotment.
  std::vector<Subscriber*> videos_;
  std::vector<Claim> claims_;
  std::vector<Allotted> allotted_;
  std::vector<forward::Layers::Offer> offers_;
};

}  // namespace sluice
