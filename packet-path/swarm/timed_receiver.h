// Receives with the moment at which the kernel had each datagram: what this thread takes to come to it is not the
// network's doing, nor the server's. Where the system does not say, the moment of reading stands for it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "../io/socket.h"

namespace sluice::swarm {

class TimedReceiver {
 public:
  TimedReceiver();
  ~TimedReceiver();
  TimedReceiver(const TimedReceiver&) = delete;
  TimedReceiver& operator=(const TimedReceiver&) = delete;

  /// Once for each socket that is to be received from.
  static void prepare(const io::Socket& socket);

  struct Datagram {
    Bytes bytes;
    Address from;
    TimeUs atUs = 0;  ///< on the monotonic clock
  };
  /// One batch of what has arrived; valid until the next call.
  [[nodiscard]] std::span<const Datagram> receive(io::Socket& socket, io::IoCounters& counters);

 private:
  struct System;
  std::unique_ptr<System> system_;
  io::ReceiveBuffer buffer_;
  std::vector<Datagram> received_;
};

}  // namespace sluice::swarm
