// Ending an association in agreement (RFC 9260 §9.2).
#pragma once

#include <cstdint>

#include "chunks.h"
#include "outbox.h"

namespace sluice::sctp {

class Teardown {
 public:
  enum class Outcome : uint8_t {
    kNothing,
    kDropped,  ///< makes no sense in this state
    kDone,
    kFailed,  ///< the peer does not answer
  };

  /// Our owner wants to end.
  void begin();
  /// Begun by either side: no message is taken any more.
  [[nodiscard]] bool begun() const { return state_ != State::kNone; }
  /// The peer waits for our SHUTDOWN COMPLETE: it is not setting up anew.
  [[nodiscard]] bool acknowledging() const { return state_ == State::kAckSent; }

  void onShutdown();
  Outcome onShutdownAck(Outbox& out);
  Outcome onShutdownComplete();

  /// Data arrived after our SHUTDOWN: say again how far (§9.2).
  void onData();

  struct Situation {
    bool drained = false;  ///< nothing of ours is queued or unacknowledged
    uint32_t cumulativeTsn = 0;
    TimeUs timeoutUs = 0;
    TimeUs nowUs = 0;
  };
  /// Takes the next step when its time has come.
  void proceed(const Situation& now, Outbox& out);

  /// T2-shutdown.
  [[nodiscard]] TimeUs nextDeadline() const { return deadlineUs_; }
  Outcome onDeadline(TimeUs nowUs);

 private:
  enum class State : uint8_t { kNone, kPending, kSent, kReceived, kAckSent };

  State state_ = State::kNone;
  bool sendDue_ = false;
  uint32_t attempts_ = 0;
  TimeUs deadlineUs_ = kNever;
};

}  // namespace sluice::sctp
