// What a client's end is told: who it talks to, and what it sends and receives.
#pragma once

#include "../peer/media_spec.h"
#include "../peer/peer.h"
#include "reader.h"

namespace sluice::binding {

/// `ip:port`, or `[ip]:port`.
[[nodiscard]] Address readAddressText(const Field& field);
[[nodiscard]] peer::PeerConfig readPeerConfig(const Field& options);
[[nodiscard]] sctp::ChannelSpec readChannel(const Field& field);
[[nodiscard]] sctp::MessageKind readMessageKind(const Field& field);
[[nodiscard]] peer::MediaSpec readMedia(const Field& media);

}  // namespace sluice::binding
