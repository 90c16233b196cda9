// Which of this machine's addresses a datagram came to. A socket bound to a wildcard receives for many; an answer must
// leave by the address that was asked (RFC 8445 §7.3.1), or the asker drops it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "../core/wire/types.h"

namespace sluice::io {

struct LocalEnd {
  uint8_t socket = 0;      ///< index into every shard's sockets: all shards bind the same list
  Address ip;              ///< set for sockets bound to a wildcard: the source to ask the kernel for; no port
  uint32_t interface = 0;  ///< for link-local addresses, which mean nothing without one (RFC 4007 §6)

  friend constexpr bool operator==(const LocalEnd&, const LocalEnd&) = default;
};

/// Gives local ends their small numbers (`Address::via`), shared by all shards of a packet path. A number, once given,
/// stays. A machine with more local addresses than numbers answers from the kernel's choice for the rest.
class LocalEnds {
 public:
  static constexpr uint8_t kAny = 0;

  [[nodiscard]] uint8_t number(const LocalEnd& end);
  /// Null for kAny and for numbers never given.
  [[nodiscard]] const LocalEnd* at(uint8_t via) const;

 private:
  [[nodiscard]] uint8_t find(const LocalEnd& end, size_t count) const;

  std::array<LocalEnd, 256> ends_{};
  std::atomic<size_t> count_{1};  // 0 is kAny
  std::mutex adding_;
};

}  // namespace sluice::io
