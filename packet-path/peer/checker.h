// The initiating end of ICE towards one address (RFC 8445 §7.2): asks, nominates, keeps consent.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "../core/spec.h"
#include "../core/wire/stun.h"
#include "../core/wire/types.h"

namespace sluice::peer {

struct CheckerConfig {
  IceCredentials local;
  IceCredentials remote;
  /// RFC 7675 §5.1 takes 5 s, Chromium 2.5 s; each time varied by a fifth.
  TimeUs consentIntervalUs = 2'500 * kMillisecondUs;
  /// No answer for this long: the other end is gone. Also how long the first one may take.
  TimeUs timeoutUs = 15 * kSecondUs;
};

/// Random bits for transactions and timing come in by parameter, as all randomness does.
class Checker {
 public:
  /// `tieBreaker` is random (RFC 8445 §7.1.3).
  Checker(CheckerConfig config, uint64_t tieBreaker);

  void start(TimeUs nowUs);
  /// New credentials (RFC 8445 §9): asks at once, and is valid as long as the old ones were.
  void restart(const IceCredentials& local, const IceCredentials& remote, TimeUs nowUs);

  struct Heard {
    bool accepted = false;   ///< authentic: an answer to a question of ours, or somebody's question
    bool connected = false;  ///< the first answer ever
    size_t answerBytes = 0;  ///< to be sent back, written to `answer`
  };
  Heard receive(const wire::StunMessage& message, const Address& from, TimeUs nowUs, MutableBytes answer);

  /// Called when due: writes the next question to `out`, 0 when it is not time. `random` is new each time.
  [[nodiscard]] size_t ask(TimeUs nowUs, const std::array<uint8_t, 16>& random, MutableBytes out);
  [[nodiscard]] TimeUs nextDeadline() const;
  [[nodiscard]] bool expired(TimeUs nowUs) const { return nowUs >= expiresUs_; }

  [[nodiscard]] bool connected() const { return connected_; }
  /// What the other end said our address is.
  [[nodiscard]] const Address& mapped() const { return mapped_; }

 private:
  // Answers may be late; older questions than these are forgotten.
  static constexpr size_t kOpenQuestions = 8;
  // Until the first answer: as RFC 8445 §14.3 with one pair, doubling up to half a second.
  static constexpr TimeUs kFirstPaceUs = 50 * kMillisecondUs;
  static constexpr TimeUs kSlowestPaceUs = 500 * kMillisecondUs;

  void setCredentials(const IceCredentials& local, const IceCredentials& remote);
  [[nodiscard]] Heard answered(const wire::StunMessage& message, TimeUs nowUs);

  CheckerConfig config_;
  uint64_t tieBreaker_;
  std::string username_;
  wire::HmacSha1 localKey_;
  wire::HmacSha1 remoteKey_;
  std::array<wire::StunTransactionId, kOpenQuestions> open_{};
  uint64_t asked_ = 0;
  TimeUs paceUs_ = kFirstPaceUs;
  TimeUs askUs_ = kNever;
  TimeUs expiresUs_ = kNever;
  Address mapped_{};
  bool connected_ = false;
  bool settled_ = false;  ///< the present credentials were answered
  bool controlling_ = true;
};

}  // namespace sluice::peer
