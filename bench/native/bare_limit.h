// What forwarding costs at least on this machine: sealing the same packets and handing them to the kernel, and nothing
// else. The same OpenSSL, the same system call, the same pace, one key a destination.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "../../packet-path/core/crypto/aes.h"
#include "../../packet-path/core/wire/types.h"

namespace sluice::bench {

/// RTP with a one-byte extension of two elements, as forwarded packets have. Its bytes from 2 to 10 count the packets.
inline constexpr size_t kBareHeaderBytes = 20;

/// The key of the destination with this index, for the end that opens what it gets.
[[nodiscard]] std::array<uint8_t, 16> bareKey(size_t destination);
[[nodiscard]] crypto::AesGcm::Nonce bareNonce(uint64_t packet);

struct BareLimitConfig {
  std::vector<Address> destinations;
  /// Packets of each frame, in turn.
  std::vector<uint32_t> framePackets;
  size_t packetBytes = 0;  ///< of RTP, before sealing
  TimeUs frameIntervalUs = 0;
  uint32_t frames = 0;
  std::optional<int> cpu;
};

struct BareLimitResult {
  uint64_t packets = 0;
  TimeUs cpuUs = 0;      ///< of the thread, user and kernel
  TimeUs sealCpuUs = 0;  ///< of it, sealing
  uint64_t sendCalls = 0;
  uint64_t failures = 0;
};

/// Runs on a thread of its own and returns when it is done.
[[nodiscard]] BareLimitResult measureBareLimit(const BareLimitConfig& config);

}  // namespace sluice::bench
