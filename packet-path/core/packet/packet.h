// A received packet: read-only once it was opened, shared by reference, returned to the pool that made it.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "../wire/header_extensions.h"
#include "../wire/types.h"

namespace sluice {

class PacketPool;

/// A header extension element that goes on to receivers who negotiated its kind.
struct PassedExtension {
  wire::ExtensionKind kind = wire::ExtensionKind::kNone;
  uint8_t size = 0;
  uint16_t offset = 0;
};

/// One packet's bytes and what was learnt while it was opened. The receiving stream fills the fields; after that
/// nobody writes. Shared between shards, hence the atomic count.
struct Packet {
  /// Room for any datagram that fits an Ethernet path, and for the largest an SCTP or DTLS peer sends.
  static constexpr size_t kCapacity = 2'048 - 128;
  /// RTP padding that a sender may add to the payload without copying it: see `paddedPayload`.
  static constexpr size_t kPadding = 16;
  /// More passed extensions than any client sends.
  static constexpr size_t kMaxExtensions = 8;

  uint8_t bytes[kCapacity];
  uint16_t size = 0;  ///< bytes in use
  uint16_t payloadOffset = 0;
  uint16_t payloadSize = 0;  ///< without RTP padding
  uint8_t payloadType = 0;
  /// RFC 6464 level in -dBov (0 loudest … 127), bit 7 voice activity; 0xFF when the packet carries none.
  uint8_t audioLevel = 0xFF;
  uint32_t timestamp = 0;
  Ssrc ssrc = 0;
  uint32_t clockRateHz = 0;  ///< of the timestamp
  uint32_t format = 0;       ///< of the payload: formatKey() of the codec that `payloadType` named
  /// Redundant audio (RFC 2198): the format of the newest frame alone, and how far into the payload it begins. For
  /// receivers that do not take redundancy. 0: none.
  uint32_t primaryFormat = 0;
  uint16_t primarySkip = 0;
  SeqNo seq = 0;
  TimeUs receivedAtUs = 0;
  uint8_t encoding = 0;  ///< which of its track's encodings (simulcast streams), from the lowest
  bool marker = false;
  bool recovered = false;  ///< came by RTX
  /// A decoder can start here: the first packet of a key frame, or any packet of a codec that has none.
  bool entryPoint = false;
  uint8_t extensionCount = 0;
  PassedExtension extensions[kMaxExtensions];

  [[nodiscard]] Bytes payload() const { return {bytes + payloadOffset, payloadSize}; }
  [[nodiscard]] Bytes extension(const PassedExtension& e) const { return {bytes + e.offset, e.size}; }

  /// Writes 1, 2 … kPadding behind the payload: whichever prefix of it is sent is valid RTP padding, because the last
  /// octet counts them all (RFC 3550 §5.1). For whoever fills the packet.
  void preparePadding() {
    for (size_t i = 0; i < paddingRoom(); ++i) bytes[payloadOffset + payloadSize + i] = static_cast<uint8_t>(i + 1);
  }
  [[nodiscard]] size_t paddingRoom() const {
    const size_t end = size_t{payloadOffset} + payloadSize;
    return kCapacity - end < kPadding ? kCapacity - end : kPadding;
  }
  /// The payload and `padding` (≤ paddingRoom()) octets of RTP padding behind it.
  [[nodiscard]] Bytes paddedPayload(size_t padding) const { return {bytes + payloadOffset, payloadSize + padding}; }

 private:
  friend class PacketPool;
  friend class PacketRef;
  std::atomic<uint32_t> refs_{0};
  PacketPool* pool_ = nullptr;
  Packet* next_ = nullptr;
};

/// Owning reference to a Packet. Copying shares, the last one returns it to its pool, from any thread.
class PacketRef {
 public:
  PacketRef() = default;
  PacketRef(const PacketRef& o) : packet_(o.packet_) {
    if (packet_ != nullptr) packet_->refs_.fetch_add(1, std::memory_order_relaxed);
  }
  PacketRef(PacketRef&& o) noexcept : packet_(std::exchange(o.packet_, nullptr)) {}
  PacketRef& operator=(PacketRef o) noexcept {
    std::swap(packet_, o.packet_);
    return *this;
  }
  ~PacketRef() { release(); }

  [[nodiscard]] explicit operator bool() const { return packet_ != nullptr; }
  const Packet& operator*() const { return *packet_; }
  const Packet* operator->() const { return packet_; }
  /// For whoever fills it, before it is shared.
  [[nodiscard]] Packet& fill() { return *packet_; }

 private:
  friend class PacketPool;
  explicit PacketRef(Packet* p) : packet_(p) {}
  void release();
  Packet* packet_ = nullptr;
};

/// A shard's store of packets. `take` is called by its shard alone; references come back from any shard through a
/// lock-free stack. Grows by slabs up to `maxPackets`, then `take` returns an empty reference and the caller drops.
/// The pool must outlive every reference to its packets.
class PacketPool {
 public:
  explicit PacketPool(size_t maxPackets);
  ~PacketPool();
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  [[nodiscard]] PacketRef take();
  [[nodiscard]] size_t allocated() const { return allocated_; }
  /// Packets that are out at this moment. Exact only when no other thread is releasing.
  [[nodiscard]] size_t inUse() const;

 private:
  friend class PacketRef;
  static constexpr size_t kSlabPackets = 64;

  struct Slab;
  void giveBack(Packet* p);
  void grow();

  Slab* slabs_ = nullptr;
  Packet* free_ = nullptr;                  // owned by the taking shard
  std::atomic<Packet*> returned_{nullptr};  // pushed to by anyone, taken whole by the shard
  size_t allocated_ = 0;
  size_t maxPackets_;
};

}  // namespace sluice
