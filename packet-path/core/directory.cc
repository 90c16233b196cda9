#include "directory.h"

#include <tuple>

namespace sluice {

Announced* Directory::find(SessionKey key) {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second;
}

const Announced* Directory::find(SessionKey key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : &it->second;
}

Announced* Directory::find(std::string_view fragment) {
  const auto it = fragments_.find(fragment);
  return it == fragments_.end() ? nullptr : find(it->second);
}

Directory::Change Directory::apply(const AnnouncedSpec& announced) {
  const SessionSpec& spec = *announced.spec;
  Announced& entry = entries_[spec.session];
  Change change{&entry, entry.latest.spec};
  if (change.before) {
    const auto age = [](const SessionSpec& s) { return std::tuple(s.epoch, s.generation); };
    if (age(spec) <= age(*change.before)) return {};
    forgetFragments(*change.before);
  }
  entry.latest = announced;
  for (const IceCredentials& c : spec.localCredentials) fragments_.insert_or_assign(c.usernameFragment, spec.session);
  return change;
}

void Directory::erase(SessionKey key) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  forgetFragments(*it->second.latest.spec);
  entries_.erase(it);
}

void Directory::forgetFragments(const SessionSpec& spec) {
  for (const IceCredentials& c : spec.localCredentials) {
    const auto it = fragments_.find(c.usernameFragment);
    if (it != fragments_.end() && it->second == spec.session) fragments_.erase(it);
  }
}

}  // namespace sluice
