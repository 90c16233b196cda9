// ICE checks that came before the spec of their session: kept for a moment, so that the first check of a client need
// not be sent twice.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "ports.h"
#include "wire/stun.h"
#include "wire/types.h"

namespace sluice {

class StunWaitingRoom {
 public:
  /// A spec that takes longer finds the client's own retransmission (RFC 8445 §14.3: 500 ms at first).
  static constexpr TimeUs kMaxWaitUs = kSecondUs;
  static constexpr size_t kMaxChecks = 64;
  /// Fragments told to the driver in a second. Anybody can make them up.
  static constexpr size_t kMaxTold = 100;

  struct Check {
    std::string fragment;
    Address from;
    ShardIndex landedOn = 0;
    TimeUs untilUs = 0;
    size_t size = 0;
    std::array<uint8_t, wire::kMaxStunBytes> bytes{};

    [[nodiscard]] Bytes message() const { return Bytes(bytes).first(size); }
  };

  enum class Outcome : uint8_t {
    kWaits,
    kWaitsAndIsNew,  ///< the first check of its fragment: worth telling
    kRefused,        ///< full, or too large
  };
  Outcome put(std::string_view fragment, Bytes message, const Address& from, ShardIndex landedOn, TimeUs nowUs);

  /// Takes the checks of this fragment out and calls `visit(check)` for each.
  template <typename Visit>
  void take(std::string_view fragment, Visit&& visit) {
    for (size_t i = 0; i < checks_.size();) {
      if (checks_[i].fragment != fragment) {
        ++i;
        continue;
      }
      const Check check = std::move(checks_[i]);
      checks_.erase(checks_.begin() + static_cast<ptrdiff_t>(i));
      visit(check);
    }
  }
  /// Drops what waited too long; returns how many.
  size_t expire(TimeUs nowUs);
  [[nodiscard]] TimeUs nextDeadline() const { return checks_.empty() ? kNever : checks_.front().untilUs; }

 private:
  [[nodiscard]] bool mayTell(TimeUs nowUs);

  std::vector<Check> checks_;  // in order of arrival
  TimeUs toldSinceUs_ = 0;
  size_t told_ = 0;
};

}  // namespace sluice
