#include "outbox.h"

#include <algorithm>
#include <cstring>

#include "crc32c.h"

namespace sluice::sctp {

Outbox::Outbox(const AssociationConfig& config, uint32_t tag, Sink& sink, Counters& counters)
    : limit_(std::min<size_t>(config.maxPacketBytes, kMaxPacketBytes) & ~size_t{3}),
      tag_(tag),
      config_(config),
      sink_(sink),
      counters_(counters) {}

void Outbox::setTag(uint32_t tag) {
  if (tag == tag_) return;
  flush();
  tag_ = tag;
}

size_t Outbox::room() const {
  const size_t used = size_ + kChunkHeaderBytes;
  return limit_ > used ? limit_ - used : 0;
}

uint8_t* Outbox::chunk(ChunkType type, uint8_t flags, size_t valueBytes) {
  if (valueBytes > room()) flush();
  uint8_t* at = &bytes_[size_];
  const size_t length = kChunkHeaderBytes + valueBytes;
  at[0] = static_cast<uint8_t>(type);
  at[1] = flags;
  writeU16(at + 2, static_cast<uint16_t>(length));
  std::memset(at + length, 0, padded(length) - length);
  size_ += padded(length);
  return at + kChunkHeaderBytes;
}

void Outbox::chunk(ChunkType type, uint8_t flags, Bytes value) {
  const size_t size = std::min(value.size(), fullRoom());
  uint8_t* at = chunk(type, flags, size);
  if (size > 0) std::memcpy(at, value.data(), size);
}

void Outbox::flush() {
  if (empty()) return;
  writeU16(&bytes_[0], config_.localPort);
  writeU16(&bytes_[2], config_.remotePort);
  writeU32(&bytes_[4], tag_);
  const Bytes packet(bytes_.data(), size_);
  writeU32(&bytes_[8], packetChecksum(packet));
  size_ = kCommonHeaderBytes;
  ++counters_.packetsSent;
  sink_.packet(packet);
}

}  // namespace sluice::sctp
