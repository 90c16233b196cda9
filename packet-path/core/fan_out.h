// From a track to its subscribers: the inner loop of the packet path.
#pragma once

#include <array>
#include <vector>

#include "counters.h"
#include "ports.h"
#include "send/burst_writer.h"
#include "tracks.h"

namespace sluice {

/// Looks up what the client's wish means for the layers that the track has now.
void weigh(Subscriber& subscriber, TimeUs nowUs);

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
  /// A packet that may be resent, and which.
  struct Kept {
    const PacketRef* packet = nullptr;
    send::OutgoingStream::Form form;
  };

  void serveAll(Track& track, TimeUs nowUs);
  static void weighWishes(Track& track, TimeUs nowUs);
  void remember(Track& track);
  void serve(Subscriber& subscriber, TimeUs nowUs);
  [[nodiscard]] size_t select(Subscriber& subscriber);
  [[nodiscard]] bool fill(size_t slot, const Packet& packet, const send::OutgoingStream::Form& form);
  [[nodiscard]] bool prepareResend(Subscriber& subscriber, uint16_t wire, TimeUs nowUs, TimeUs rttUs, size_t slot);
  [[nodiscard]] static Kept findKept(Subscriber& subscriber, const forward::LayerSelector::Origin& origin);
  [[nodiscard]] static bool rewriteSent(const Subscriber& subscriber, const Packet& packet,
                                        const forward::LayerSelector::Origin& origin,
                                        const send::ResendRing::Answer& answer, forward::Rewritten& out);
  [[nodiscard]] static bool rewriteUnsent(Subscriber& subscriber, const Packet& packet,
                                          const forward::LayerSelector::Origin& origin, forward::Rewritten& out);
  void flushResends(Subscriber& subscriber, size_t count, TimeUs nowUs);
  void noteFirst(Subscriber& subscriber, size_t slot, SeqNo seq);

  ShardWorld& world_;
  ShardIndex self_;
  const Tracks& tracks_;
  ShardCounters& counters_;
  std::vector<Track*> queued_;
  send::BurstWriter writer_;

  static constexpr size_t kMaxBatch = send::BurstWriter::kMaxPackets;
  /// One extension element's data (RFC 8285 §4.3), and what it can grow by while it is written.
  static constexpr size_t kMaxElement = 255;
  std::array<forward::FrameInfo, kMaxBatch> infos_{};  // of the queue that is served
  std::array<send::Outgoing, kMaxBatch> batch_{};
  // Of batch_: what its packets point to.
  std::array<forward::Rewritten, kMaxBatch> rewritten_{};
  std::array<std::array<uint8_t, kMaxElement + wire::kMaxDescriptorGrowth>, kMaxBatch> descriptors_{};
  std::array<bool, kMaxBatch> unsent_{};  // of batch_: goes out for the first time
};

}  // namespace sluice
