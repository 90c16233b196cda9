// One shard: every session that landed on one thread. Joins the parts in order; decides nothing.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ports.h"
#include "spec.h"
#include "wire/types.h"

namespace sluice {

/// Which shard holds a session. Shared by all shards of a packet path: the first shard on which a session's ICE check
/// lands claims it, the others hand its datagrams over. This atomic is the only thing shards share besides queues.
class SessionClaim {
 public:
  static constexpr int kUnclaimed = -1;
  /// Returns the owner: `shard` if the claim was free or already its own, else whoever holds it.
  [[nodiscard]] int claim(ShardIndex shard) {
    int expected = kUnclaimed;
    owner_.compare_exchange_strong(expected, shard, std::memory_order_acq_rel);
    return expected == kUnclaimed ? shard : expected;
  }
  [[nodiscard]] int owner() const { return owner_.load(std::memory_order_acquire); }

 private:
  std::atomic<int> owner_{kUnclaimed};
};

/// A spec as it is announced to every shard.
struct AnnouncedSpec {
  std::shared_ptr<const SessionSpec> spec;
  std::shared_ptr<SessionClaim> claim;  ///< the same one for every generation of a session
};

struct ReceivedDatagram {
  Address from;
  MutableBytes bytes;  ///< the driver's buffer; valid during the call
};

/// The DTLS identity of a site. The private key and certificate are PEM text; DTLS is set up once from them.
struct Identity {
  std::string certificatePem;
  std::string privateKeyPem;
};

struct ShardConfig {
  ShardIndex index = 0;
  size_t shards = 1;
  /// No valid ICE check for this long ends a session (RFC 7675 §5.1 takes 30 s; clients check every 2.5 s at most).
  TimeUs consentTimeoutUs = 15 * kSecondUs;
  /// A session that never connected ends after this long from its landing.
  TimeUs setupTimeoutUs = 30 * kSecondUs;
  size_t maxPackets = 65'536;
  Identity identity;
};

/// Numbers of one session for `snapshot`; see src/snapshot.ts for the public form.
struct SessionSnapshot;
struct ShardCounters;

/// Given time and bytes; gives bytes, events and deadlines through its world. One thread at a time.
class Shard {
 public:
  Shard(ShardConfig config, ShardWorld& world);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Makes a session equal to its spec. Idempotent; an older epoch or generation changes nothing.
  void apply(const AnnouncedSpec& announced, TimeUs nowUs);
  /// Ends a session and forgets its spec.
  void drop(SessionKey session, TimeUs nowUs);

  /// A batch as the kernel gave it: everything is opened first, then every subscriber gets its burst.
  void receive(std::span<const ReceivedDatagram> batch, TimeUs nowUs);
  /// Messages from other shards, in order.
  void receive(std::span<ShardMessage> batch, TimeUs nowUs);

  [[nodiscard]] TimeUs nextDeadline() const;
  /// Does everything that is due at `nowUs`.
  void onDeadline(TimeUs nowUs);

  /// Numbers of one session; false when this shard does not hold it.
  [[nodiscard]] bool snapshot(SessionKey session, TimeUs nowUs, SessionSnapshot& out) const;
  [[nodiscard]] const ShardCounters& counters() const;
  [[nodiscard]] size_t sessions() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
