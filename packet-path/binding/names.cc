#include "names.h"

namespace sluice::binding {

uint64_t Names::hold(std::string_view id) {
  const auto [entry, isNew] = keys_.try_emplace(std::string(id), next_);
  if (isNew) ids_.emplace(next_++, Held{entry->first, 0});
  ++ids_[entry->second].holders;
  return entry->second;
}

void Names::release(uint64_t key) {
  const auto held = ids_.find(key);
  if (held == ids_.end() || --held->second.holders > 0) return;
  keys_.erase(held->second.id);
  ids_.erase(held);
}

uint64_t Names::find(const std::string& id) const {
  const auto found = keys_.find(id);
  return found == keys_.end() ? 0 : found->second;
}

const std::string* Names::idOf(uint64_t key) const {
  const auto found = ids_.find(key);
  return found == ids_.end() ? nullptr : &found->second.id;
}

}  // namespace sluice::binding
