// CRC32c, the checksum of SCTP packets (RFC 9260 §6.8, appendix A).
#pragma once

#include <cstdint>

#include "../wire/types.h"

namespace sluice::sctp {

/// CRC32c of `bytes`, by the processor's own instruction where it has one.
[[nodiscard]] uint32_t crc32c(Bytes bytes);

/// The same by table. What crc32c falls back to; apart so that tests can hold one against the other.
[[nodiscard]] uint32_t crc32cByTable(Bytes bytes);

/// What belongs into a packet's checksum field: the CRC with that field taken as zero. `packet` holds at least the
/// 12 bytes of the common header.
[[nodiscard]] uint32_t packetChecksum(Bytes packet);

}  // namespace sluice::sctp
