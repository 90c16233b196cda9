// From packets to datagrams: seals a batch of packets for one subscriber into as few GSO bursts as their sizes allow.
#pragma once

#include <array>
#include <span>

#include "../counters.h"
#include "../packet/packet.h"
#include "../ports.h"
#include "header.h"
#include "transport.h"

namespace sluice::send {

/// A packet about to be sent. The writer fills `stamp` unless it is to be sent as before.
struct Outgoing {
  const Packet* packet = nullptr;
  SeqNo seq = 0;  ///< under which it is sealed
  uint32_t timestamp = 0;
  Ssrc ssrc = 0;
  uint8_t payloadType = 0;
  bool marker = false;
  bool repair = false;    ///< on a retransmission stream: `originalSeq` goes before the payload (RFC 4588 §4)
  bool asBefore = false;  ///< bit by bit what was sent before, by `stamp`
  uint16_t originalSeq = 0;
  uint16_t skip = 0;  ///< octets of the payload that this subscriber does not get
  Bytes front;        ///< instead of them
  /// Instead of the packet's dependency descriptor; one of no bytes is left out.
  std::optional<Bytes> descriptor;
  std::string_view mid;  ///< empty: not written
  Stamp stamp;
  bool sent = false;   ///< set by the writer
  uint16_t bytes = 0;  ///< sealed size; set by the writer

  [[nodiscard]] size_t payloadBytes() const { return front.size() + packet->payloadSize - skip; }
};

/// Tells apart what was written instead of a packet's own bytes; 0 when nothing was.
[[nodiscard]] uint32_t digest(const Outgoing& packet);

/// UDP GSO takes segments of one size, only the last may be shorter. A video frame's packets differ by a few bytes;
/// RTP padding makes them equal, so that a frame leaves in one call. Keeps the order given. Holds scratch memory: one
/// for each shard.
class BurstWriter {
 public:
  /// Packets in one call of write; more are cut off by the caller.
  static constexpr size_t kMaxPackets = DatagramSink::kMaxBurstSegments;
  /// Octets of padding worth a saved call: a datagram that leaves alone costs 0.5 µs (nobody receives) to 2 µs (with a
  /// receiver) more than one that is a segment, measured on loopback; 16 octets are little more than 1 % of a packet.
  static constexpr size_t kMaxPadding = Packet::kPadding;

  void write(std::span<Outgoing> packets, Transport& transport, DatagramSink& sink, TimeUs nowUs,
             ShardCounters& counters);

 private:
  struct Plan {
    HeaderPlan header;
    uint16_t bytes = 0;         // sealed, without padding
    uint16_t fixedPadding = 0;  // already part of `bytes`
    bool elastic = false;       // may be padded
  };
  struct Group {
    size_t count = 0;
    size_t segmentBytes = 0;
    size_t totalBytes = 0;
  };

  static void plan(const Outgoing& packet, const Transport& transport, Plan& plan);
  [[nodiscard]] Group group(size_t from, size_t packets) const;
  [[nodiscard]] static size_t writeOne(Outgoing& packet, const Plan& plan, size_t padding, Transport& transport,
                                       TimeUs nowUs, MutableBytes out);

  std::array<Plan, kMaxPackets> plans_{};
};

}  // namespace sluice::send
