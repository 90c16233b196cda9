#include "interests.h"

#include <algorithm>

namespace sluice {

template <typename Key>
void Interests::change(std::unordered_map<Key, size_t>& counts, Key key, int by, TimeUs nowUs) {
  size_t& count = counts[key];
  const size_t before = count;
  count = by > 0 ? count + 1 : count - 1;
  const bool firstOrLast = before == 0 || count == 0;
  if (count == 0) counts.erase(key);
  if (!firstOrLast || shards_ == 1) return;
  for (size_t s = 0; s < shards_; ++s) {
    if (s == self_) continue;
    const Unheard whom{key, static_cast<ShardIndex>(s)};
    const bool waiting = std::any_of(unheard_.begin(), unheard_.end(),
                                     [&](const Unheard& u) { return u.shard == whom.shard && u.what == whom.what; });
    if (waiting) continue;  // its turn will say what is true then
    if (!tell(whom)) {
      unheard_.push_back(whom);
      retryAtUs_ = nowUs + kRetryUs;
    }
  }
}

bool Interests::wanted(const std::variant<TrackKey, GroupKey>& what) const {
  if (const TrackKey* track = std::get_if<TrackKey>(&what)) return tracks_.contains(*track);
  return groups_.contains(std::get<GroupKey>(what));
}

bool Interests::tell(const Unheard& whom) {
  return world_.post(whom.shard, Interest{whom.what, self_, wanted(whom.what)});
}

void Interests::onDeadline(TimeUs nowUs) {
  if (nowUs < nextDeadline()) return;
  std::erase_if(unheard_, [this](const Unheard& whom) { return tell(whom); });
  retryAtUs_ = nowUs + kRetryUs;
}

template void Interests::change(std::unordered_map<TrackKey, size_t>&, TrackKey, int, TimeUs);
template void Interests::change(std::unordered_map<GroupKey, size_t>&, GroupKey, int, TimeUs);

}  // namespace sluice
