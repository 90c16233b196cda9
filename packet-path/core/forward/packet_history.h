// The last packets of one encoding, shared by all its subscribers: what a retransmission is made from.
#pragma once

#include <vector>

#include "../packet/packet.h"
#include "../spec.h"

namespace sluice::forward {

/// A ring by sequence number, bounded by count and by age. Holds references, not bytes.
class PacketHistory {
 public:
  /// libwebrtc's receivers ask for up to a second (nack_requester.cc), and wait no longer in their jitter buffers.
  static constexpr TimeUs kMaxAgeUs = kSecondUs;
  /// One second at 9 Mbit/s of 1200-byte packets.
  static constexpr size_t kVideoPackets = 1'024;
  /// A second of 20 ms frames, and of 10 ms frames with some to spare.
  static constexpr size_t kAudioPackets = 128;

  explicit PacketHistory(MediaKind kind) : slots_(kind == MediaKind::kVideo ? kVideoPackets : kAudioPackets) {}

  /// Keeps a packet, and lets go of what is too old or stands in its place.
  void put(const PacketRef& packet);
  /// The packet with this number of this source; null when it is gone or never came.
  [[nodiscard]] const PacketRef* find(Ssrc ssrc, SeqNo seq) const;
  /// Lets go of what is too old at `nowUs`.
  void trim(TimeUs nowUs);
  void clear();
  [[nodiscard]] bool empty() const { return oldest_ >= end_; }

 private:
  [[nodiscard]] size_t index(SeqNo seq) const { return static_cast<uint64_t>(seq) & (slots_.size() - 1); }

  std::vector<PacketRef> slots_;
  SeqNo oldest_ = 0;  // [oldest_, end_) may hold packets
  SeqNo end_ = 0;
  Ssrc ssrc_ = 0;
};

}  // namespace sluice::forward
