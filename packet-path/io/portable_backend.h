// Any POSIX system: a datagram a call.
#pragma once

#include "udp.h"

namespace sluice::io {

[[nodiscard]] std::unique_ptr<Socket> makePortableSocket(BoundSocket socket, LocalEnds& ends);
[[nodiscard]] std::unique_ptr<Waiter> makePortableWaiter();

}  // namespace sluice::io
