// Setting an association up, from either side or from both at once, and again after the peer lost its state
// (RFC 9260 §5).
#pragma once

#include <cstdint>
#include <vector>

#include "chunks.h"
#include "outbox.h"
#include "state_cookie.h"
#include "types.h"

namespace sluice::sctp {

class Handshake {
 public:
  enum class State : uint8_t { kClosed, kCookieWait, kCookieEchoed, kEstablished };

  enum class Outcome : uint8_t {
    kNothing,
    kDropped,      ///< makes no sense in this state
    kEstablished,  ///< local() and peer() are what both ends agreed on
    kRestarted,    ///< the same, in place of an association that stood before
    kFailed,
  };

  Handshake(const AssociationConfig& config, const Seed& seed);

  /// Sends INIT, unless the peer was faster.
  void start(TimeUs nowUs, Outbox& out);

  Outcome onInit(const ChunkView& chunk, TimeUs nowUs, Outbox& out);
  Outcome onInitAck(const ChunkView& chunk, TimeUs nowUs, Outbox& out);
  /// `packetTag` is the verification tag it came with, which is the cookie's to judge (RFC 9260 §8.5.1 D).
  Outcome onCookieEcho(const ChunkView& chunk, uint32_t packetTag, TimeUs nowUs, Outbox& out);
  Outcome onCookieAck();
  /// The peer refused our cookie as too old: begins anew (RFC 9260 §5.2.6).
  Outcome onStaleCookie(TimeUs nowUs, Outbox& out);

  /// T1-init or T1-cookie.
  [[nodiscard]] TimeUs nextDeadline() const { return deadlineUs_; }
  Outcome onDeadline(TimeUs nowUs, Outbox& out);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const EndParameters& local() const { return local_; }
  /// All zero until INIT ACK or COOKIE ECHO told.
  [[nodiscard]] const EndParameters& peer() const { return peer_; }

 private:
  void sendInit(TimeUs nowUs, Outbox& out);
  void sendCookieEcho(TimeUs nowUs, Outbox& out);
  void sendInitAck(const InitChunk& init, const EndParameters& peer, TimeUs nowUs, Outbox& out);
  void arm(TimeUs nowUs);
  void settle();
  Outcome agree(const StateCookie& cookie, Outcome outcome, Outbox& out);

  const AssociationConfig& config_;
  Random random_;
  State state_ = State::kClosed;
  EndParameters local_;
  EndParameters peer_;
  std::vector<uint8_t> cookie_;     ///< the peer's, until it is acknowledged
  std::vector<uint8_t> complaint_;  ///< parameters of its INIT ACK that we do not know and that ask to be reported
  uint32_t attempts_ = 0;
  TimeUs deadlineUs_ = kNever;
};

}  // namespace sluice::sctp
