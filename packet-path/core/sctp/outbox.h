// The packet that is being put together during one call of an association. Chunks are bundled as long as they fit.
#pragma once

#include <array>
#include <cstdint>

#include "chunks.h"
#include "types.h"

namespace sluice::sctp {

class Outbox {
 public:
  /// Nothing larger fits an Ethernet path, whatever the configuration says.
  static constexpr size_t kMaxPacketBytes = 1'500;

  Outbox(const AssociationConfig& config, uint32_t tag, Sink& sink, Counters& counters);
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// Where packets begun from now on go to.
  void setTag(uint32_t tag);

  /// Bytes of value that one more chunk may have in the packet at hand.
  [[nodiscard]] size_t room() const;
  /// The same for a packet of its own.
  [[nodiscard]] size_t fullRoom() const { return limit_ - kCommonHeaderBytes - kChunkHeaderBytes; }
  [[nodiscard]] bool empty() const { return size_ == kCommonHeaderBytes; }

  /// Appends a chunk, in a new packet when it does not fit the one at hand, and returns where its `valueBytes` bytes of
  /// value go. `valueBytes` is at most fullRoom().
  uint8_t* chunk(ChunkType type, uint8_t flags, size_t valueBytes);
  /// A chunk with a value copied from `value`, cut to what a packet holds.
  void chunk(ChunkType type, uint8_t flags, Bytes value);

  /// Sends the packet at hand, if there is anything in it.
  void flush();

 private:
  std::array<uint8_t, kMaxPacketBytes> bytes_;  // deliberately not zeroed: every byte sent is written
  size_t limit_;
  size_t size_ = kCommonHeaderBytes;
  uint32_t tag_;
  const AssociationConfig& config_;
  Sink& sink_;
  Counters& counters_;
};

}  // namespace sluice::sctp
