// What may happen to a peer, for owners that hear of it later than it happens.
#pragma once

#include <variant>
#include <vector>

#include "peer.h"

namespace sluice::peer {

struct Connected {
  bool media = false;
};
struct RtpArrived {
  std::vector<uint8_t> packet;
};
struct RtcpArrived {
  std::vector<uint8_t> compound;
};
struct ChannelOpened {
  sctp::StreamId stream = 0;
  sctp::ChannelSpec spec;
};
struct ChannelClosed {
  sctp::StreamId stream = 0;
};
struct MessageArrived {
  sctp::StreamId stream = 0;
  sctp::MessageKind kind = sctp::MessageKind::kBinary;
  std::vector<uint8_t> bytes;
};
struct Writable {};
struct Ended {
  EndReason reason = EndReason::kClosedHere;
};

using PeerEvent =
    std::variant<Connected, RtpArrived, RtcpArrived, ChannelOpened, ChannelClosed, MessageArrived, Writable, Ended>;

}  // namespace sluice::peer
