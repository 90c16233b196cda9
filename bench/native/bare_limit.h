// What forwarding costs at least on this machine: sealing the same packets and handing them to the kernel, and nothing
// else. The same OpenSSL, the same system call, the same pace, one key a destination.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "../../packet-path/core/wire/types.h"

namespace sluice::bench {

struct BareLimitConfig {
  size_t destinations = 0;
  /// Packets of each frame, in turn.
  std::vector<uint32_t> framePackets;
  size_t packetBytes = 0;  ///< of RTP, before sealing
  TimeUs frameIntervalUs = 0;
  uint32_t frames = 0;
  std::optional<int> cpu;
};

struct BareLimitResult {
  uint64_t packets = 0;
  uint64_t arrived = 0;  ///< and could be opened
  TimeUs cpuUs = 0;      ///< of the thread, user and kernel
  TimeUs sealCpuUs = 0;  ///< of it, sealing
  uint64_t sendCalls = 0;
  uint64_t failures = 0;
};

/// Runs on a thread of its own and returns when it is done.
[[nodiscard]] BareLimitResult measureBareLimit(const BareLimitConfig& config);

}  // namespace sluice::bench
