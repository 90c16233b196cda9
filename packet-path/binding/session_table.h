// The specs a packet path was told, by the ids of the control plane; and the ids, for as long as anything can name
// them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "../core/spec.h"
#include "names.h"

namespace sluice::binding {

class SessionTable {
 public:
  [[nodiscard]] Names& names() { return names_; }
  [[nodiscard]] const Names& names() const { return names_; }

  /// False when the session's spec is as new, or newer: `spec` says nothing that is not known.
  [[nodiscard]] bool isNews(const SessionSpec& spec) const;
  /// The names of the spec that `spec` takes the place of are retired.
  void keep(const SessionSpec& spec, HeldNames&& names);
  /// The session's key, or nothing when there is no such session.
  [[nodiscard]] std::optional<SessionKey> find(const std::string& id) const;
  void forget(SessionKey session);

  /// Names that events on their way may still use. The caller releases them when no such event can come any more.
  [[nodiscard]] bool hasRetired() const { return !retired_.empty(); }
  [[nodiscard]] HeldNames takeRetired() { return std::exchange(retired_, {}); }
  void release(const HeldNames& names);

 private:
  struct Known {
    uint64_t epoch = 0;
    uint64_t generation = 0;
    HeldNames names;
  };
  void retire(HeldNames&& names);

  Names names_;
  std::unordered_map<SessionKey, Known> sessions_;
  HeldNames retired_;
};

}  // namespace sluice::binding
