// Who receives what the bare limit sends: sockets on a thread of their own that open every packet, as clients do.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "../../packet-path/core/crypto/aes.h"
#include "../../packet-path/io/socket.h"
#include "../../packet-path/swarm/poller.h"

namespace sluice::bench {

/// RTP with a one-byte extension of two elements, as forwarded packets have. Its bytes from 2 to 10 count the packets.
inline constexpr size_t kBareHeaderBytes = 20;

/// The key of the destination with this index.
[[nodiscard]] std::array<uint8_t, 16> bareKey(size_t destination);
[[nodiscard]] crypto::AesGcm::Nonce bareNonce(uint64_t packet);

class Sinks {
 public:
  /// Null when the system has no sockets left.
  [[nodiscard]] static std::unique_ptr<Sinks> open(size_t count);
  ~Sinks();
  Sinks(const Sinks&) = delete;
  Sinks& operator=(const Sinks&) = delete;

  [[nodiscard]] const Address& address(size_t index) const { return sinks_[index].socket->boundTo(); }
  /// Packets that arrived and were what they should be.
  [[nodiscard]] uint64_t opened() const { return opened_; }

 private:
  struct Sink {
    std::unique_ptr<io::Socket> socket;
    crypto::AesGcm cipher;
  };

  explicit Sinks(std::unique_ptr<swarm::Poller> poller) : poller_(std::move(poller)) {}

  void run();
  [[nodiscard]] bool opens(Sink& sink, Bytes datagram);

  std::unique_ptr<swarm::Poller> poller_;
  io::LocalEnds ends_;
  std::vector<Sink> sinks_;
  std::vector<uint8_t> plain_ = std::vector<uint8_t>(2'048);
  std::atomic<uint64_t> opened_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace sluice::bench
