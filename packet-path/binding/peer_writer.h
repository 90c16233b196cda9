// What a client's end tells, as JavaScript values.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "../peer/media_report.h"
#include "../peer/peer.h"
#include "writer.h"

namespace sluice::binding {

// ── What may happen to a peer ──

struct PeerConnected {
  bool media = false;
};
struct PeerRtp {
  std::vector<uint8_t> packet;
};
struct PeerRtcp {
  std::vector<uint8_t> compound;
};
struct PeerChannelOpened {
  sctp::StreamId stream = 0;
  sctp::ChannelSpec spec;
};
struct PeerChannelClosed {
  sctp::StreamId stream = 0;
};
struct PeerMessage {
  sctp::StreamId stream = 0;
  sctp::MessageKind kind = sctp::MessageKind::kBinary;
  std::vector<uint8_t> bytes;
};
struct PeerWritable {};
struct PeerEnded {
  peer::EndReason reason = peer::EndReason::kClosedHere;
};

using PeerEvent = std::variant<PeerConnected, PeerRtp, PeerRtcp, PeerChannelOpened, PeerChannelClosed, PeerMessage,
                               PeerWritable, PeerEnded>;

[[nodiscard]] napi_value toPeerEvent(napi_env env, const PeerEvent& event);
[[nodiscard]] napi_value toMediaReport(napi_env env, const peer::MediaReport& report);
[[nodiscard]] const char* name(sctp::SendResult result);

}  // namespace sluice::binding
