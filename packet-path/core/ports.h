// What the core needs from the world. io/ implements these over the kernel, the manual driver over a simulated
// network, tests over plain vectors. Inheritance is used for ports only.
#pragma once

#include <memory>
#include <variant>

#include "events.h"
#include "packet/packet.h"
#include "sender_clock.h"
#include "spec.h"
#include "wire/types.h"

namespace sluice {

/// Where datagrams leave. One reserve/commit pair is one burst to one address: `commit` sends `bytes` bytes from the
/// reserved span as datagrams of `segmentBytes` each, the last one possibly shorter (UDP GSO's own rule).
class DatagramSink {
 public:
  virtual ~DatagramSink() = default;

  /// A writable span of at least `bytes` bytes, or an empty one when `bytes` is above kMaxBurstBytes.
  /// Valid until the next call of any method.
  [[nodiscard]] virtual MutableBytes reserve(size_t bytes) = 0;
  virtual void commit(const Address& to, size_t bytes, size_t segmentBytes) = 0;

  /// UDP GSO takes 64 KiB less headers, and at most 64 segments (linux/udp.h UDP_MAX_SEGMENTS).
  static constexpr size_t kMaxBurstBytes = 65'000;
  static constexpr size_t kMaxBurstSegments = 64;
};

/// Which shard of this packet path; there are at most 64.
using ShardIndex = uint8_t;
inline constexpr size_t kMaxShards = 64;

// ── What one shard tells another. Carried by a bounded queue; a full one drops and counts. ──

/// A datagram of a session that another shard owns; `from` is where it came from, `landedOn` the shard that got it.
/// Bytes are owned by the message.
struct HandedDatagram {
  Address from;
  PacketRef datagram;
  ShardIndex landedOn = 0;
};

/// "Datagrams from this address are mine": sent by the owner to the shard on which they land.
struct AddressOwned {
  Address address;
  ShardIndex owner = 0;
  bool forget = false;  ///< true: no longer
};

/// An opened RTP packet of a track that the receiving shard has subscribers for.
struct ForwardedPacket {
  TrackKey track{};
  PacketRef packet;
};

/// What the publisher's last sender report said of one encoding, for the reports to subscribers.
struct ForwardedClock {
  TrackKey track{};
  uint8_t encoding = 0;
  SenderClock clock;
};

/// A data-channel message for everyone in the group that the receiving shard holds.
struct ForwardedData {
  std::shared_ptr<const DataMessage> message;
};

/// "I have (no longer) subscribers of this track" / "… members of this data group".
struct Interest {
  std::variant<TrackKey, GroupKey> what;
  ShardIndex shard = 0;
  bool wanted = false;
};

/// Somebody on another shard needs a key frame of this track's encoding.
struct KeyFrameWanted {
  TrackKey track{};
  uint8_t encoding = 0;
};

using ShardMessage = std::variant<HandedDatagram, AddressOwned, ForwardedPacket, ForwardedClock, ForwardedData,
                                  Interest, KeyFrameWanted>;

/// Everything a shard can do to the world.
class ShardWorld {
 public:
  virtual ~ShardWorld() = default;
  [[nodiscard]] virtual DatagramSink& datagrams() = 0;
  virtual void event(Event&& event) = 0;
  /// False when the queue towards `to` was full; the caller counts the drop.
  [[nodiscard]] virtual bool post(ShardIndex to, ShardMessage&& message) = 0;
  /// Cryptographically strong random bytes.
  virtual void random(MutableBytes out) = 0;
};

}  // namespace sluice
