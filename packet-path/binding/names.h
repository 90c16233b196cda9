// The control plane's ids and the packet path's keys: equal id, equal key; no key is ever given twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../core/spec.h"

namespace sluice::binding {

/// Ids are held as long as someone holds them, and forgotten then: the table is as large as what is alive.
class Names {
 public:
  /// The key of `id`, held once more.
  [[nodiscard]] uint64_t hold(std::string_view id);
  void release(uint64_t key);
  /// 0 when nobody holds `id`: no key is 0.
  [[nodiscard]] uint64_t find(const std::string& id) const;
  /// Null when nobody holds it any more.
  [[nodiscard]] const std::string* idOf(uint64_t key) const;
  [[nodiscard]] size_t size() const { return ids_.size(); }

 private:
  struct Held {
    std::string id;
    uint32_t holders = 0;
  };
  std::unordered_map<std::string, uint64_t> keys_;
  std::unordered_map<uint64_t, Held> ids_;
  uint64_t next_ = 1;
};

/// The ids that one spec holds: released when the spec is no more.
using HeldNames = std::vector<uint64_t>;

}  // namespace sluice::binding
