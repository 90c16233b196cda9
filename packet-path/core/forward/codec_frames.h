// What payloads themselves say of their frames, codec by codec.
#pragma once

#include "../packet/packet.h"
#include "../spec.h"
#include "frame_info.h"

namespace sluice::forward {

/// What the packets before say.
struct FrameStart {
  bool byTime = false;  ///< a frame begins here, judged by timestamps and sequence numbers alone
  int64_t newestPicture = FrameInfo::kNoPicture;
  bool marked = false;  ///< the coded video sequence came with frame marking
};

/// The frame marking of a packet (RFC 9626); empty when it has none.
[[nodiscard]] Bytes frameMarking(const Packet& packet);

/// Fills `out`, whose fields hold what is true of any codec, from the payload of `packet`.
void readCodecFrame(Codec codec, const Packet& packet, const FrameStart& start, FrameInfo& out);

}  // namespace sluice::forward
