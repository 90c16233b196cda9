// A received packet: read-only once it was opened, shared by reference, returned to the pool that made it.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "../wire/types.h"

namespace sluice {

class PacketPool;

/// One packet's bytes and what was learnt while it was opened. The receiving stream fills the fields; after that
/// nobody writes. Shared between shards, hence the atomic count.
struct Packet {
  /// Room for any datagram that fits an Ethernet path, and for the largest an SCTP or DTLS peer sends.
  static constexpr size_t kCapacity = 2'048 - 128;

  uint8_t bytes[kCapacity];
  uint16_t size = 0;  ///< bytes in use
  uint16_t payloadOffset = 0;
  uint16_t payloadSize = 0;      ///< without RTP padding
  uint16_t extensionOffset = 0;  ///< of the extension block's elements; 0 when there is none
  uint16_t extensionSize = 0;
  uint8_t extensionForm = 0;  ///< 0 none, 1 one-byte, 2 two-byte (RFC 8285 §4)
  uint8_t payloadType = 0;
  bool marker = false;
  bool recovered = false;  ///< came by RTX
  uint32_t timestamp = 0;
  Ssrc ssrc = 0;
  SeqNo seq = 0;
  TimeUs receivedAtUs = 0;
  /// RFC 6464 level in -dBov (0 loudest … 127), bit 7 voice activity; 0xFF when the packet carries none.
  uint8_t audioLevel = 0xFF;
  /// Index of the codec in the track's spec that `payloadType` named.
  uint8_t codecIndex = 0;
  bool keyFrameStart = false;  ///< first packet of a frame that a decoder can start from

  [[nodiscard]] Bytes payload() const { return {bytes + payloadOffset, payloadSize}; }
  [[nodiscard]] Bytes extension() const { return {bytes + extensionOffset, extensionSize}; }

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
