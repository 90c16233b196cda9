// The tracks that a shard has to do with: published by its sessions, or received by them, or wanted by other shards.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "congestion/estimator.h"
#include "forward/layer_selector.h"
#include "forward/layers.h"
#include "forward/packet_history.h"
#include "ports.h"
#include "send/outgoing_stream.h"
#include "send/transport.h"
#include "sender_clock.h"
#include "shard.h"

namespace sluice {

struct Track;

/// Takes requests for key frames of what its session publishes.
class Publisher {
 public:
  virtual void wantKeyFrame(TrackKey track, uint8_t encoding, TimeUs nowUs) = 0;

 protected:
  ~Publisher() = default;
};

/// One track on its way to one session. Owned by the session; its track holds a pointer.
///
/// Which layer it gets has two limits: what the client has a use for (`wished`, kept by the fan-out), and what its
/// network carries (`allot`, `hold`; whoever allots bandwidth). Without an allotment everything wished flows.
struct Subscriber {
  Subscriber(const OutgoingTrackSpec& spec, Track& of, send::Transport& over, uint64_t random, SeqNo firstSeq,
             SeqNo firstRtxSeq)
      : selector(random, firstSeq), stream(spec, firstRtxSeq), transport(&over), track(&of) {}

  forward::LayerSelector selector;
  send::OutgoingStream stream;
  send::Transport* transport;
  Track* track;
  congestion::Estimator* estimator = nullptr;  ///< of its session; null without transport-wide feedback

  [[nodiscard]] forward::Layer wished() const { return wished_; }
  void setWished(forward::Layer wished) {
    wished_ = wished;
    aim();
  }
  /// The client's network carries this; more than is wished is clipped to it.
  void allot(forward::LayerTarget allotted) {
    allotted_ = allotted;
    aim();
  }
  /// It carries not even the least.
  void hold(bool held) {
    held_ = held;
    selector.setPaused(held_ || stream.spec().paused);
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  void aim() {
    selector.setTarget(
        {{std::min(allotted_.layer.spatial, wished_.spatial), std::min(allotted_.layer.temporal, wished_.temporal)},
         allotted_.inHaste});
  }

  forward::Layer wished_ = forward::kBestLayer;
  forward::LayerTarget allotted_;
  bool held_ = false;
};

struct Track {
  explicit Track(TrackKey k) : key(k) {}

  TrackKey key;
  Publisher* publisher = nullptr;  ///< set when its session is on this shard

  std::vector<Subscriber*> subscribers;
  uint64_t wantedBy = 0;  ///< other shards that have subscribers, one bit each

  /// Kept while there are subscribers, like all that follows but the clocks.
  forward::Layers layers;
  /// One of each encoding that was seen while there were subscribers.
  std::vector<forward::PacketHistory> histories;
  std::vector<SenderClock> clocks;  ///< by encoding

  TimeUs weighedAtUs = 0;  ///< when wishes were last compared with what there is

  std::vector<PacketRef> queue;  ///< of this batch
  bool queued = false;
  /// By encoding: when another shard was asked.
  std::array<TimeUs, forward::Layers::kMaxEncodings> keyFrameAskedAtUs = neverAsked();

  [[nodiscard]] bool unused() const { return publisher == nullptr && subscribers.empty() && wantedBy == 0; }
  [[nodiscard]] const SenderClock* clock(uint8_t encoding) const {
    return encoding < clocks.size() && clocks[encoding].isSet() ? &clocks[encoding] : nullptr;
  }
  void setClock(uint8_t encoding, const SenderClock& clock) {
    if (encoding >= forward::Layers::kMaxEncodings) return;
    if (clocks.size() <= encoding) clocks.resize(size_t{encoding} + 1);
    clocks[encoding] = clock;
  }

 private:
  static constexpr std::array<TimeUs, forward::Layers::kMaxEncodings> neverAsked() {
    std::array<TimeUs, forward::Layers::kMaxEncodings> never{};
    never.fill(kNever);
    return never;
  }
};

/// Who publishes a track, as its spec says, and where that session is.
struct TrackHome {
  ParticipantKey participant{};
  std::shared_ptr<SessionClaim> claim;
};

class Tracks {
 public:
  void setHome(TrackKey key, TrackHome home) { homes_[key] = std::move(home); }
  void forgetHome(TrackKey key) { homes_.erase(key); }
  /// Null while no spec names the track.
  [[nodiscard]] const TrackHome* home(TrackKey key) const {
    const auto it = homes_.find(key);
    return it == homes_.end() ? nullptr : &it->second;
  }

  /// The track, made if need be. Valid until release() finds it unused.
  [[nodiscard]] Track& take(TrackKey key);
  [[nodiscard]] Track* find(TrackKey key);
  /// Forgets the track when nothing needs it any more.
  void release(TrackKey key);

  /// Lets go of packets that are too old. True while there are packets at all.
  bool trim(TimeUs nowUs);
  /// Lets go of every packet: the pool is empty.
  void dropHistories();
  [[nodiscard]] size_t size() const { return tracks_.size(); }

 private:
  std::unordered_map<TrackKey, std::unique_ptr<Track>> tracks_;
  std::unordered_map<TrackKey, TrackHome> homes_;  // of every announced spec
};

}  // namespace sluice
