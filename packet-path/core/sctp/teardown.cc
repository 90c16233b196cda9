#include "teardown.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

/// Half of RFC 9260 §16 Association.Max.Retrans: who ends a session does not wait for long.
constexpr uint32_t kMaxAttempts = 5;
constexpr TimeUs kMaxTimeoutUs = 3 * kSecondUs;

}  // namespace

void Teardown::begin() {
  if (state_ == State::kNone) state_ = State::kPending;
}

void Teardown::onShutdown() {
  switch (state_) {
    case State::kNone:
    case State::kPending:
      state_ = State::kReceived;
      break;
    case State::kSent:  // both at once
      state_ = State::kAckSent;
      sendDue_ = true;
      break;
    case State::kReceived:
      break;
    case State::kAckSent:  // our answer was lost
      sendDue_ = true;
      break;
  }
}

Teardown::Outcome Teardown::onShutdownAck(Outbox& out) {
  if (state_ != State::kSent && state_ != State::kAckSent) return Outcome::kDropped;
  out.chunk(ChunkType::kShutdownComplete, 0, 0);
  return Outcome::kDone;
}

Teardown::Outcome Teardown::onShutdownComplete() {
  return state_ == State::kAckSent ? Outcome::kDone : Outcome::kDropped;
}

void Teardown::onData() {
  if (state_ != State::kSent) return;
  sendDue_ = true;
  attempts_ = 0;
}

void Teardown::proceed(const Situation& now, Outbox& out) {
  if (now.drained && (state_ == State::kPending || state_ == State::kReceived)) {
    state_ = state_ == State::kPending ? State::kSent : State::kAckSent;
    sendDue_ = true;
  }
  if (!sendDue_) return;
  sendDue_ = false;
  if (state_ == State::kSent) {
    writeU32(out.chunk(ChunkType::kShutdown, 0, 4), now.cumulativeTsn);
  } else {
    out.chunk(ChunkType::kShutdownAck, 0, 0);
  }
  deadlineUs_ = now.nowUs + std::min(now.timeoutUs << attempts_, kMaxTimeoutUs);
}

Teardown::Outcome Teardown::onDeadline(TimeUs nowUs) {
  if (nowUs < deadlineUs_) return Outcome::kNothing;
  deadlineUs_ = kNever;
  if (++attempts_ > kMaxAttempts) return Outcome::kFailed;
  sendDue_ = true;
  return Outcome::kNothing;
}

}  // namespace sluice::sctp
