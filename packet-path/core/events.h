// What the packet path tells its driver. Rare by design: nothing here is per packet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "spec.h"
#include "wire/types.h"

namespace sluice {

/// One data-channel message on its way to a group: already rewritten to carry its true sender.
struct DataMessage {
  GroupKey group{};
  ParticipantKey sender{};
  bool reliable = true;                   ///< which channel it travels on: "_reliable" or "_lossy"
  std::string label;                      ///< channel label it came on
  std::vector<std::string> destinations;  ///< participant identities or sids; empty: everyone but the sender
  std::vector<uint8_t> bytes;
};

/// A valid ICE check arrived: the session lives on this shard from now on.
struct SessionLanded {
  SessionKey session{};
  Address remote;
};

/// The client's address changed, proven by an authenticated check.
struct SessionMoved {
  SessionKey session{};
  Address remote;
};

/// DTLS is done and SRTP keys are in place.
struct SessionConnected {
  SessionKey session{};
};

enum class CloseReason : uint8_t {
  kDropped,         ///< drop() was called
  kConsentExpired,  ///< no valid check for the consent time (RFC 7675 §5.1)
  kSetupTimeout,    ///< landed, but never connected
  kDtlsFailed,      ///< handshake or fingerprint
  kDtlsClosed,      ///< close_notify
  kSctpFailed,      ///< association aborted or out of retransmissions
};

struct SessionClosed {
  SessionKey session{};
  CloseReason reason = CloseReason::kDropped;
};

/// The first packet of an incoming track arrived.
struct TrackStarted {
  SessionKey session{};
  TrackKey track{};
  Ssrc ssrc = 0;
  uint8_t payloadType = 0;
};

struct DataChannelOpened {
  SessionKey session{};
  uint16_t streamId = 0;
  std::string label;
};

/// How loud a track's speaker is, told when it changes (quantised to eighths), at most once per audio window.
struct AudioActivity {
  SessionKey session{};
  TrackKey track{};
  bool active = false;
  float level = 0;  ///< linear, 0 … 1
};

/// An ICE check named a username fragment that no spec has. Rate limited per fragment.
struct UnknownUsernameFragment {
  std::string usernameFragment;
  Address from;
};

using Event = std::variant<SessionLanded, SessionMoved, SessionConnected, SessionClosed, TrackStarted,
                           DataChannelOpened, AudioActivity, UnknownUsernameFragment>;

}  // namespace sluice
