// Clients by the thousand on a few threads, each with a socket of its own and perhaps a bad network before it: what a
// load test calls with. Everything is called from one thread, the owner's; what happens is told in batches.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "../core/dtls/context.h"
#include "../io/counters.h"
#include "../peer/impairment.h"
#include "../peer/media_peer.h"
#include "../peer/peer_event.h"

namespace sluice::swarm {

using ClientId = uint32_t;

struct ClientConfig {
  peer::PeerConfig peer;
  /// From it, and to it.
  peer::Conditions up;
  peer::Conditions down;
};

struct ClientEvent {
  ClientId client = 0;
  peer::PeerEvent what;
};

struct Taken {
  std::vector<ClientEvent> events;
  uint64_t lost = 0;  ///< events that nobody took in time
};

struct ClientReport {
  peer::MediaReport media;
  peer::PeerCounters counters;
  bool connected = false;
  /// Taken by the impairment, either way.
  uint64_t impaired = 0;
};

struct ThreadReport {
  size_t clients = 0;
  TimeUs cpuUs = 0;
  /// How late a deadline was met at worst: what the machine could not do in time, sources send late.
  TimeUs worstLagUs = 0;
  io::IoCounters io;
};

/// What came of one kind, at all clients.
struct KindTotals {
  size_t streams = 0;      ///< that packets came of
  uint64_t packets = 0;    ///< distinct
  int64_t lost = 0;        ///< that the network took, repaired or not
  uint64_t recovered = 0;  ///< by retransmission
  peer::DelayHistogram delays;
};

struct Totals {
  uint64_t videoSent = 0;
  uint64_t audioSent = 0;
  KindTotals video;
  KindTotals audio;
};

class Outbox;
class SwarmThread;

class Swarm {
 public:
  struct Config {
    size_t threads = 1;
    dtls::IdentityPem identity;  ///< of all clients
    uint64_t seed = 0;
  };

  /// `notify` is called from any thread when there is something to `take`, and must not block. Null when DTLS cannot
  /// use the identity, or the system has no descriptors left.
  [[nodiscard]] static std::unique_ptr<Swarm> open(const Config& config, std::function<void()> notify);
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  /// Empty when the system has no sockets left. The client begins at once.
  [[nodiscard]] std::optional<ClientId> add(const ClientConfig& config);
  void restart(ClientId client, const IceCredentials& local, const IceCredentials& remote, const Address& server);
  void apply(ClientId client, const peer::MediaSpec& media);
  [[nodiscard]] sctp::SendResult send(ClientId client, const sctp::Message& message);
  /// Gone from now on; with `goodbye` the other end is told.
  void remove(ClientId client, bool goodbye);
  /// Calls `use` while the client stands still; its report names memory of its own. Nothing for a client that is gone.
  void report(ClientId client, const std::function<void(const ClientReport&)>& use);
  /// Of all clients that are there.
  [[nodiscard]] Totals totals();
  [[nodiscard]] std::vector<ThreadReport> threads();

  /// What happened since the last call, in order.
  [[nodiscard]] Taken take();

 private:
  explicit Swarm(std::function<void()> notify);

  [[nodiscard]] SwarmThread* threadOf(ClientId client);

  std::unique_ptr<Outbox> outbox_;
  std::vector<std::unique_ptr<SwarmThread>> threads_;
  ClientId nextId_ = 0;
};

}  // namespace sluice::swarm
