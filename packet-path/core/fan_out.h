// From a track to its subscribers: the inner loop of the packet path.
#pragma once

#include <array>
#include <vector>

#include "counters.h"
#include "ports.h"
#include "send/burst_writer.h"
#include "tracks.h"

namespace sluice {

/// Packets of a batch wait on their tracks; then every subscriber of a track gets its packets as one burst, before the
/// next subscriber is looked at: their keys and tables are touched once a batch.
class FanOut {
 public:
  FanOut(ShardWorld& world, ShardIndex self, const Tracks& tracks, ShardCounters& counters)
      : world_(world), self_(self), tracks_(tracks), counters_(counters) {}

  /// Queues a packet of `track`. `post`: it was received here, other shards that want it get it too.
  enum class Origin : uint8_t { kHere, kOtherShard };
  void add(Track& track, PacketRef packet, Origin origin, TimeUs nowUs);
  /// Serves every subscriber of every track with something queued. True when there was anything.
  bool run(TimeUs nowUs);

  /// Answers a NACK of one subscriber from the history of its track. `control` is the feedback's control information.
  void resend(Subscriber& subscriber, Bytes control, TimeUs nowUs, TimeUs rttUs);

  /// Asks for a key frame of what this subscriber gets, or should get.
  void wantKeyFrame(Track& track, uint8_t encoding, TimeUs nowUs);

 private:
  void serveAll(Track& track, TimeUs nowUs);
  void remember(Track& track);
  [[nodiscard]] bool serve(Subscriber& subscriber, TimeUs nowUs);
  [[nodiscard]] bool prepareResend(Subscriber& subscriber, uint16_t wire, TimeUs nowUs, TimeUs rttUs, size_t slot);
  void flushResends(Subscriber& subscriber, size_t count, TimeUs nowUs);

  ShardWorld& world_;
  ShardIndex self_;
  const Tracks& tracks_;
  ShardCounters& counters_;
  std::vector<Track*> queued_;
  send::BurstWriter writer_;
  std::array<send::Outgoing, send::BurstWriter::kMaxPackets> batch_{};
  std::array<uint32_t, send::BurstWriter::kMaxPackets> sources_{};  // of batch_: the subscription's source number
};

}  // namespace sluice
