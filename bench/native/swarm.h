// Clients on one thread, each with a socket of its own: one that sends video, and any number that receive it.
#pragma once

#include <poll.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "../../packet-path/core/crypto/aes.h"
#include "../../packet-path/core/dtls/context.h"
#include "../../packet-path/core/spec.h"
#include "../../packet-path/io/socket.h"
#include "delay_histogram.h"
#include "video_source.h"

namespace sluice::bench {

struct ClientConfig {
  Address server;
  IceCredentials local;
  IceCredentials remote;
  std::vector<Fingerprint> serverFingerprints;
  std::optional<VideoSourceConfig> video;  ///< what it sends; it receives whatever comes
  uint8_t feedbackExtension = 0;           ///< wire id of the transport-wide number; 0: no feedback about arrivals
};

/// Since the last `beginMeasurement`.
struct SwarmReport {
  size_t clients = 0;
  size_t connected = 0;
  size_t ended = 0;
  size_t receiving = 0;  ///< clients that got packets
  uint64_t packetsSent = 0;
  uint64_t packetsReceived = 0;
  uint64_t packetsLost = 0;  ///< gaps in sequence numbers
  uint64_t unauthentic = 0;
  uint64_t sinksOpened = 0;  ///< of all sinks ever
  uint32_t delayP50Us = 0;
  uint32_t delayP99Us = 0;
  uint32_t delayMaxUs = 0;
  TimeUs cpuUs = 0;  ///< of the swarm's thread since its start
};

class Swarm {
 public:
  explicit Swarm(std::optional<int> cpu);
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  /// The certificate that all clients use.
  [[nodiscard]] Fingerprint fingerprint() const;
  /// False when there are no sockets left.
  [[nodiscard]] bool add(const ClientConfig& config);
  /// Sockets that open what the bare limit sends: receivers that work as the clients do, on the same core.
  [[nodiscard]] std::vector<Address> openSinks(size_t count);
  void closeSinks();
  void startVideo();
  void stopVideo();
  void beginMeasurement();
  [[nodiscard]] SwarmReport report();

 private:
  class Client;
  struct Receiving;

  void run(std::optional<int> cpu);
  void receiveAll(const std::vector<pollfd>& polled);

  std::unique_ptr<dtls::Context> dtls_;
  /// Held while the thread works, free while it waits.
  std::mutex working_;
  std::vector<std::unique_ptr<Client>> clients_;
  struct Sink {
    std::unique_ptr<io::Socket> socket;
    crypto::AesGcm cipher;
  };
  void open(Sink& sink, Bytes datagram);

  std::vector<Sink> sinks_;
  std::vector<pollfd> watched_;  ///< clients, then sinks
  io::LocalEnds ends_;
  std::vector<pollfd> polled_;
  std::unique_ptr<Receiving> receiving_;
  io::IoCounters counters_;
  DelayHistogram delays_;
  TimeUs nextFrameAtUs_ = kNever;
  std::vector<uint8_t> opened_ = std::vector<uint8_t>(2'048);
  uint64_t sinksOpened_ = 0;
  TimeUs cpuUs_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> wanted_{0};  ///< calls that wait for `working_`
  std::thread thread_;
};

}  // namespace sluice::bench
