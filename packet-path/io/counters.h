// What one shard's sockets and queues did. Written and read by the shard's thread alone.
#pragma once

#include <cstdint>

#include "../core/wire/types.h"

namespace sluice::io {

struct IoCounters {
  uint64_t datagramsReceived = 0;
  uint64_t bytesReceived = 0;
  uint64_t receiveCalls = 0;
  uint64_t datagramsSent = 0;
  uint64_t bytesSent = 0;
  uint64_t sendCalls = 0;
  /// Bursts that the kernel would not take whole; they went out datagram by datagram.
  uint64_t burstsSplit = 0;

  // Dropped, by reason.
  uint64_t receivedTruncated = 0;  ///< larger than any datagram we speak
  uint64_t receivedOverflow = 0;   ///< by the kernel, the socket's buffer being full
  uint64_t sendBufferFull = 0;     ///< the socket's buffer stayed full for as long as a shard may wait
  uint64_t sendFailed = 0;         ///< no route, no such address, refused by a filter
  uint64_t shardQueueFull = 0;     ///< a message to another shard
  uint64_t eventQueueFull = 0;     ///< an event to the driver's owner

  uint64_t rounds = 0;
  uint64_t sleeps = 0;
  TimeUs cpuUs = 0;  ///< of the shard's thread, user and kernel
};

}  // namespace sluice::io
