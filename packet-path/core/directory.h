// Every session that was announced, by key and by username fragment, and the session itself where this shard has it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "session.h"
#include "shard.h"

namespace sluice {

struct Announced {
  AnnouncedSpec latest;
  std::unique_ptr<Session> session;  ///< null: not landed, or on another shard
  /// Set when the session ended here: its client must be given a new epoch to come back.
  std::optional<uint64_t> endedEpoch;

  [[nodiscard]] bool hasEnded() const { return endedEpoch && *endedEpoch >= latest.spec->epoch; }
};

class Directory {
 public:
  [[nodiscard]] Announced* find(SessionKey key);
  [[nodiscard]] const Announced* find(SessionKey key) const;
  [[nodiscard]] Announced* find(std::string_view fragment);

  struct Change {
    Announced* entry = nullptr;                 ///< null: the spec is not newer than what is known
    std::shared_ptr<const SessionSpec> before;  ///< null: it is the first
  };
  /// Takes a spec over; its fragments lead to it from now on.
  Change apply(const AnnouncedSpec& announced);
  void erase(SessionKey key);

  template <typename F>
  void forEach(F&& f) const {
    for (const auto& [key, entry] : entries_) f(entry);
  }

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  void forgetFragments(const SessionSpec& spec);

  std::unordered_map<SessionKey, Announced> entries_;
  std::unordered_map<std::string, SessionKey, TextHash, std::equal_to<>> fragments_;
};

}  // namespace sluice
