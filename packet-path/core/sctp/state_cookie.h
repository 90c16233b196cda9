// What we give the peer to keep between INIT ACK and COOKIE ECHO (RFC 9260 §5.1.3), authenticated by a keyed hash.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "../wire/types.h"
#include "keyed_hash.h"

namespace sluice::sctp {

/// One end as its INIT or INIT ACK described it.
struct EndParameters {
  uint32_t tag = 0;
  uint32_t initialTsn = 0;
  uint32_t window = 0;
  uint16_t outgoingStreams = 0;
  uint16_t incomingStreams = 0;
  bool forwardTsn = false;  ///< RFC 3758 §3.1
  bool reconfig = false;    ///< RFC 6525 §3.1
};

struct StateCookie {
  TimeUs createdAtUs = 0;
  uint32_t localTag = 0;
  uint32_t localInitialTsn = 0;
  EndParameters peer;
  /// The tags of the association that stood when the INIT came; zero when none did (RFC 9260 §5.2.2).
  uint32_t localTieTag = 0;
  uint32_t peerTieTag = 0;

  static constexpr size_t kBytes = 8 + 8 + 4 * 7 + 2 * 2 + 1;
  using Written = std::array<uint8_t, kBytes>;

  [[nodiscard]] Written write(const HashKey& key) const;
  /// Nothing unless it was written under the same key.
  [[nodiscard]] static std::optional<StateCookie> read(Bytes bytes, const HashKey& key);
};

}  // namespace sluice::sctp
