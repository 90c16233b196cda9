// What this shard wants from the others, told to each of them until it is heard.
#pragma once

#include <unordered_map>
#include <variant>
#include <vector>

#include "ports.h"

namespace sluice {

/// Counts who wants a track or a data group here, and tells every other shard when the first comes and the last goes.
/// A full queue is tried again; what changed meanwhile is told as it is then.
class Interests {
 public:
  static constexpr TimeUs kRetryUs = 10 * kMillisecondUs;

  Interests(ShardWorld& world, ShardIndex self, size_t shards) : world_(world), self_(self), shards_(shards) {}

  void add(TrackKey track, TimeUs nowUs) { change(tracks_, track, 1, nowUs); }
  void remove(TrackKey track, TimeUs nowUs) { change(tracks_, track, -1, nowUs); }
  void add(GroupKey group, TimeUs nowUs) { change(groups_, group, 1, nowUs); }
  void remove(GroupKey group, TimeUs nowUs) { change(groups_, group, -1, nowUs); }

  [[nodiscard]] TimeUs nextDeadline() const { return unheard_.empty() ? kNever : retryAtUs_; }
  void onDeadline(TimeUs nowUs);

 private:
  struct Unheard {
    std::variant<TrackKey, GroupKey> what;
    ShardIndex shard;
  };
  template <typename Key>
  void change(std::unordered_map<Key, size_t>& counts, Key key, int by, TimeUs nowUs);
  [[nodiscard]] bool tell(const Unheard& whom);
  [[nodiscard]] bool wanted(const std::variant<TrackKey, GroupKey>& what) const;

  ShardWorld& world_;
  ShardIndex self_;
  size_t shards_;
  std::unordered_map<TrackKey, size_t> tracks_;
  std::unordered_map<GroupKey, size_t> groups_;
  std::vector<Unheard> unheard_;  // at most one for each key and shard
  TimeUs retryAtUs_ = kNever;
};

}  // namespace sluice
