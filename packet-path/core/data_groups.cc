#include "data_groups.h"

#include <bit>

namespace sluice {

void DataGroups::join(GroupKey group, DataMember& member, TimeUs nowUs) {
  groups_[group].members.push_back(&member);
  interests_.add(group, nowUs);
}

void DataGroups::leave(GroupKey group, DataMember& member, TimeUs nowUs) {
  const auto it = groups_.find(group);
  if (it == groups_.end()) return;
  if (std::erase(it->second.members, &member) > 0) interests_.remove(group, nowUs);
  forgetIfEmpty(group);
}

void DataGroups::interest(GroupKey group, ShardIndex shard, bool wanted) {
  if (shard >= kMaxShards) return;
  uint64_t& mask = groups_[group].wantedBy;
  mask = wanted ? mask | uint64_t{1} << shard : mask & ~(uint64_t{1} << shard);
  forgetIfEmpty(group);
}

void DataGroups::forgetIfEmpty(GroupKey group) {
  const auto it = groups_.find(group);
  if (it != groups_.end() && it->second.members.empty() && it->second.wantedBy == 0) groups_.erase(it);
}

void DataGroups::publish(const std::shared_ptr<const DataMessage>& message, TimeUs nowUs) {
  const auto it = groups_.find(message->group);
  if (it == groups_.end()) return;
  for (uint64_t shards = it->second.wantedBy; shards != 0; shards &= shards - 1) {
    if (!world_.post(static_cast<ShardIndex>(std::countr_zero(shards)), ForwardedData{message})) {
      counters_.drop(DropReason::kShardQueueFull);
    }
  }
  deliver(message, nowUs);
}

void DataGroups::deliver(const std::shared_ptr<const DataMessage>& message, TimeUs nowUs) {
  const auto it = groups_.find(message->group);
  if (it == groups_.end()) return;
  for (DataMember* member : it->second.members) {
    if (member->participant() == message->sender || !member->isAddressed(*message)) continue;
    member->deliver(message, nowUs);
  }
}

}  // namespace sluice
