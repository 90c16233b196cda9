// Linux: many datagrams a call. Received in batches (recvmmsg) of runs (UDP GRO), sent as bursts (UDP GSO).
#pragma once

#include "udp.h"

namespace sluice::io {

[[nodiscard]] std::unique_ptr<Socket> makeLinuxSocket(BoundSocket socket, LocalEnds& ends);
[[nodiscard]] std::unique_ptr<Waiter> makeLinuxWaiter();

}  // namespace sluice::io
