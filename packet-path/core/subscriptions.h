// What one session's client receives: a Subscriber for each outgoing track of its spec, joined to the track.
#pragma once

#include <memory>
#include <unordered_map>

#include "send/number_ledger.h"
#include "shard_context.h"
#include "tracks.h"

namespace sluice {

class Subscriptions {
 public:
  Subscriptions(ShardContext& shard, send::Transport& transport) : shard_(shard), transport_(transport) {}
  /// Leaves all tracks. To be called before destruction.
  void leave(TimeUs nowUs);

  /// Makes them equal to the spec. What did not change goes on undisturbed; a stream that changes its track continues.
  void apply(std::span<const OutgoingTrackSpec> wanted, congestion::Estimator* estimator, TimeUs nowUs);
  /// Headers are written differently now: nothing can be resent as it was.
  void forgetSent();

  [[nodiscard]] Subscriber* find(Ssrc ssrc) const;
  template <typename F>
  void forEach(F&& f) const {
    for (const auto& [ssrc, subscriber] : bySsrc_) f(*subscriber);
  }

 private:
  void add(const OutgoingTrackSpec& spec, congestion::Estimator* estimator, TimeUs nowUs);
  void change(Subscriber& subscriber, const OutgoingTrackSpec& spec, TimeUs nowUs);
  void attach(Subscriber& subscriber, Track& track, TimeUs nowUs);
  void detach(Subscriber& subscriber, TimeUs nowUs);
  void wantKeyFrame(const Subscriber& subscriber, TimeUs nowUs);
  void end(const Subscriber& subscriber);
  [[nodiscard]] std::optional<Ssrc> beginRtx(std::optional<Ssrc> ssrc, SeqNo& first);
  [[nodiscard]] uint64_t random();

  ShardContext& shard_;
  send::Transport& transport_;
  std::unordered_map<Ssrc, std::unique_ptr<Subscriber>> bySsrc_;
  send::NumberLedger numbers_;
};

}  // namespace sluice
