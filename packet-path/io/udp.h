// What both backends do alike with a UDP socket: opening it, and the control messages that name local addresses.
#pragma once

#include <sys/socket.h>

#include <variant>

#include "address.h"
#include "descriptor.h"
#include "socket.h"

namespace sluice::io {

/// An open, bound, non-blocking UDP socket.
struct BoundSocket {
  Descriptor descriptor;
  int family = AF_INET;
  Address address;  ///< with the port that the kernel chose
  uint8_t index = 0;
  bool dualStack = false;
  /// Bound to a wildcard: the kernel says with each datagram which address it came to.
  bool wildcard = false;
  size_t receiveBufferBytes = 0;
  size_t sendBufferBytes = 0;

  [[nodiscard]] bool reaches(const Address& to) const;
};

[[nodiscard]] std::variant<BoundSocket, SocketError> openBoundSocket(const SocketOptions& options);

/// Room for one packet-info message and one for a segment size.
inline constexpr size_t kControlBytes = 128;

/// The end of one socket at which datagrams arrive, with the number it has among the packet path's local ends.
class Arrivals {
 public:
  Arrivals(const BoundSocket& socket, LocalEnds& ends);

  /// The number of the local end that `message` came to.
  [[nodiscard]] uint8_t via(const msghdr& message);

 private:
  LocalEnds& ends_;
  uint8_t index_;
  bool wildcard_;
  uint8_t fixed_ = LocalEnds::kAny;  ///< for a socket bound to one address
  LocalEnd lastEnd_;
  uint8_t lastVia_ = LocalEnds::kAny;
};

/// Appends to `message`'s control data (of kControlBytes) the wish to leave from `source`.
void appendSource(msghdr& message, int family, const LocalEnd& source);

}  // namespace sluice::io
