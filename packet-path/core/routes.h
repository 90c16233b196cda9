// Whose datagrams come from an address: one of this shard's sessions, or another shard.
#pragma once

#include <unordered_map>

#include "counters.h"
#include "ports.h"

namespace sluice {

class Session;

/// A session's addresses are proven by its ICE checks. Where the kernel gives an address to another shard than the one
/// that holds the session, that shard is told, and hands the datagrams over.
class Routes {
 public:
  /// Another shard's addresses kept here: eight for each of that many sessions that moved. More are found again by
  /// their next check.
  static constexpr size_t kMaxForeign = 65'536;

  struct Route {
    Session* session = nullptr;  ///< null: another shard's
    ShardIndex shard = 0;        ///< session set: on which its datagrams land; null: which has it
  };

  Routes(ShardWorld& world, ShardIndex self, ShardCounters& counters)
      : world_(world), self_(self), counters_(counters) {}

  [[nodiscard]] const Route* find(const Address& address) const;

  /// `address` is `session`'s from now on; its datagrams come to shard `landedOn`.
  void add(const Address& address, Session& session, ShardIndex landedOn);
  /// It is not any more; unless it became another session's meanwhile.
  void remove(const Address& address, const Session& session);

  /// Another shard says that an address is its own, or not any more.
  void heard(const AddressOwned& owned);
  /// Tells the shard that handed over a datagram of a stranger to keep them to itself.
  void disown(const Address& address, ShardIndex landedOn);

  [[nodiscard]] size_t size() const { return routes_.size(); }

 private:
  void tell(ShardIndex shard, const Address& address, bool forget);

  ShardWorld& world_;
  ShardIndex self_;
  ShardCounters& counters_;
  std::unordered_map<Address, Route, AddressHash> routes_;
  size_t foreign_ = 0;
};

}  // namespace sluice
