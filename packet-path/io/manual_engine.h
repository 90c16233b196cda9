// The same shards without threads, sockets and clock: a simulation gives it datagrams and moments, and takes what it
// sends. With one seed it does the same every time, but for DTLS, whose randomness is OpenSSL's own.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "../core/counters.h"
#include "../core/shard.h"
#include "../core/snapshot.h"

namespace sluice::io {

/// What shards sent, datagram by datagram, in order.
class SentDatagrams final : public DatagramSink {
 public:
  struct Entry {
    Address to;
    size_t offset = 0;
    size_t bytes = 0;
  };

  [[nodiscard]] MutableBytes reserve(size_t bytes) override;
  void commit(const Address& to, size_t bytes, size_t segmentBytes) override;

  [[nodiscard]] std::span<const Entry> entries() const { return entries_; }
  [[nodiscard]] Bytes bytesOf(const Entry& entry) const { return {store_.data() + entry.offset, entry.bytes}; }
  void clear();

 private:
  std::vector<uint8_t> store_;
  size_t used_ = 0;  ///< bytes of `store_` that entries name; a reserved span lies behind
  std::vector<Entry> entries_;
};

class ManualEngine {
 public:
  struct Config {
    ShardConfig shard;
    size_t shards = 1;
    uint64_t seed = 0;
  };
  struct Delivery {
    Address from;
    MutableBytes bytes;
  };

  explicit ManualEngine(const Config& config);
  ~ManualEngine();
  ManualEngine(const ManualEngine&) = delete;
  ManualEngine& operator=(const ManualEngine&) = delete;

  void apply(std::shared_ptr<const SessionSpec> spec, TimeUs nowUs);
  void drop(SessionKey session, TimeUs nowUs);
  void drain(TimeUs nowUs);

  /// As one batch a shard; an address always meets the same shard.
  void deliver(std::span<const Delivery> datagrams, TimeUs nowUs);
  /// Does everything that is due. What a deadline causes at the same moment is done as well.
  void advance(TimeUs nowUs);
  [[nodiscard]] TimeUs nextDeadline() const;

  [[nodiscard]] SentDatagrams& sent() { return sent_; }
  [[nodiscard]] std::vector<Event>& events() { return events_; }

  [[nodiscard]] bool snapshot(SessionKey session, TimeUs nowUs, SessionSnapshot& out) const;
  [[nodiscard]] size_t shards() const { return shards_.size(); }
  [[nodiscard]] size_t sessions(size_t shard) const;
  [[nodiscard]] const ShardCounters& counters(size_t shard) const;

 private:
  class World;

  void settle(TimeUs nowUs);

  SentDatagrams sent_;
  std::vector<Event> events_;
  std::unordered_map<SessionKey, std::shared_ptr<SessionClaim>> claims_;
  std::vector<std::unique_ptr<World>> shards_;
  bool draining_ = false;
};

}  // namespace sluice::io
