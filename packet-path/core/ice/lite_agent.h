// The ICE-lite end of one session (RFC 8445 §2.5): answers checks, chooses the tuple, keeps consent.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../spec.h"
#include "../wire/stun.h"
#include "../wire/types.h"

namespace sluice::ice {

/// What became of a STUN message. Only `kAccepted` proves anything about its sender.
enum class CheckVerdict : uint8_t {
  kAccepted,
  kRoleConflict,       ///< authentic, answered 487: we are lite, hence always controlled (RFC 8445 §7.3.1.1)
  kUnknownAttributes,  ///< authentic, answered 420 (RFC 8489 §6.3.1)
  kNotARequest,        ///< answers and indications; a lite agent asks nothing
  kMalformed,          ///< no username `local:remote`, or no integrity. Silent, deliberately: see handle()
  kUnknownFragment,    ///< the username names none of our credentials. Silent
  kBadIntegrity,       ///< wrong password. Silent
  kCount,
};

struct CheckOutcome {
  CheckVerdict verdict = CheckVerdict::kMalformed;
  size_t answerBytes = 0;          ///< of the answer written to `answer`; to be sent to where the check came from
  bool landed = false;             ///< the first accepted check of this agent
  bool remoteAdded = false;        ///< the sender's address joined `remotes()`
  bool tupleChanged = false;       ///< `selected()` is another address than before
  std::optional<Address> evicted;  ///< left `remotes()` to make room
};

struct LiteAgentConfig {
  /// No accepted check for this long: consent is gone (RFC 7675 §5.1).
  TimeUs consentTimeoutUs = 15 * kSecondUs;
};

class LiteAgent {
 public:
  /// An honest client has an address per network it is on, and a few more while its NAT rebinds.
  static constexpr size_t kMaxRemotes = 8;
  /// Enough for a restart within a restart; older ones are cut off.
  static constexpr size_t kMaxCredentials = 4;

  explicit LiteAgent(LiteAgentConfig config);

  /// Newest first; replaces what was there. Addresses proven under credentials that are gone stay valid until consent
  /// expires, so that a restart does not interrupt media (RFC 8445 §9).
  void setLocalCredentials(std::span<const IceCredentials> newestFirst);

  /// Judges a check. `answer` (≥ wire::kMaxStunBytes) receives the answer, if there is one: only a sender that knows
  /// the password gets any, so nobody can use this port to reflect traffic at others (deliberately stricter than the
  /// 400 and 401 of RFC 8489 §9.1.3).
  CheckOutcome handle(const wire::StunMessage& message, const Address& from, TimeUs nowUs, MutableBytes answer);

  /// Where to send; not set before the first accepted check.
  [[nodiscard]] const Address& selected() const { return selected_; }
  /// Every address that an accepted check came from, most of them equally able to send us media.
  [[nodiscard]] bool knows(const Address& remote) const;
  template <typename F>
  void forEachRemote(F&& f) const {
    for (size_t i = 0; i < remoteCount_; ++i) f(remotes_[i].address);
  }

  /// When consent runs out if no check comes; kNever before landing.
  [[nodiscard]] TimeUs nextDeadline() const;
  [[nodiscard]] bool consentExpired(TimeUs nowUs) const { return nowUs >= nextDeadline(); }
  [[nodiscard]] bool landed() const { return lastCheckUs_ != kNever; }

 private:
  struct Credentials {
    std::string fragment;
    wire::HmacSha1 key;
    uint32_t generation = 0;  ///< grows with each new fragment: newer wins the selection
  };
  struct Remote {
    Address address;
    uint32_t priority = 0;
    uint32_t generation = 0;
    TimeUs lastCheckUs = 0;
    uint8_t nominations = 0;  ///< nominating checks since the selected remote was last heard
    bool nominating = false;  ///< its latest check carried USE-CANDIDATE
  };

  const Credentials* credentialsFor(std::string_view fragment) const;
  Remote& note(const Address& from, CheckOutcome& outcome);
  [[nodiscard]] bool choose(Remote& heard, bool isNew);
  [[nodiscard]] static bool beatsSelected(const Remote& heard, const Remote& selected, bool isNew);
  Remote* find(const Address& address);

  LiteAgentConfig config_;
  std::vector<Credentials> credentials_;
  uint32_t generations_ = 0;
  std::array<Remote, kMaxRemotes> remotes_{};
  size_t remoteCount_ = 0;
  Address selected_{};
  TimeUs lastCheckUs_ = kNever;
};

}  // namespace sluice::ice
