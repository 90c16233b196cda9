// Who receives a data message: the members of its group on this shard, and the other shards that have members.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "counters.h"
#include "interests.h"
#include "ports.h"

namespace sluice {

/// A session that receives a group's messages.
class DataMember {
 public:
  virtual void deliver(const std::shared_ptr<const DataMessage>& message, TimeUs nowUs) = 0;
  [[nodiscard]] virtual ParticipantKey participant() const = 0;
  /// One of these is a destination, or there is no destination at all.
  [[nodiscard]] virtual bool isAddressed(const DataMessage& message) const = 0;

 protected:
  ~DataMember() = default;
};

class DataGroups {
 public:
  DataGroups(ShardWorld& world, Interests& interests, ShardCounters& counters)
      : world_(world), interests_(interests), counters_(counters) {}

  void join(GroupKey group, DataMember& member, TimeUs nowUs);
  void leave(GroupKey group, DataMember& member, TimeUs nowUs);
  void interest(GroupKey group, ShardIndex shard, bool wanted);

  /// Gives a message of a local sender to everyone but the sender's own sessions.
  void publish(const std::shared_ptr<const DataMessage>& message, TimeUs nowUs);
  /// Gives a message to the members here alone.
  void deliver(const std::shared_ptr<const DataMessage>& message, TimeUs nowUs);

 private:
  struct Group {
    std::vector<DataMember*> members;
    uint64_t wantedBy = 0;
  };
  void forgetIfEmpty(GroupKey group);

  ShardWorld& world_;
  Interests& interests_;
  ShardCounters& counters_;
  std::unordered_map<GroupKey, Group> groups_;
};

}  // namespace sluice
