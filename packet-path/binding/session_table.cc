#include "session_table.h"

#include <tuple>

namespace sluice::binding {

bool SessionTable::isNews(const SessionSpec& spec) const {
  const auto known = sessions_.find(spec.session);
  return known == sessions_.end() ||
         std::tie(known->second.epoch, known->second.generation) < std::tie(spec.epoch, spec.generation);
}

void SessionTable::keep(const SessionSpec& spec, HeldNames&& names) {
  Known& known = sessions_[spec.session];
  retire(std::exchange(known.names, std::move(names)));
  known.epoch = spec.epoch;
  known.generation = spec.generation;
}

std::optional<SessionKey> SessionTable::find(const std::string& id) const {
  const SessionKey key{names_.find(id)};
  return sessions_.contains(key) ? std::optional(key) : std::nullopt;
}

void SessionTable::forget(SessionKey session) {
  const auto known = sessions_.find(session);
  if (known == sessions_.end()) return;
  retire(std::move(known->second.names));
  sessions_.erase(known);
}

void SessionTable::release(const HeldNames& names) {
  for (const uint64_t name : names) names_.release(name);
}

void SessionTable::retire(HeldNames&& names) {
  retired_.insert(retired_.end(), names.begin(), names.end());
}

}  // namespace sluice::binding
