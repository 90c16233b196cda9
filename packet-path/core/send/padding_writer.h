// Packets of nothing but RTP padding, on a retransmission stream: what a probe is made of when there is nothing worth
// repeating. Their receiver reports their arrival, and looks at nothing else of them.
#pragma once

#include "../counters.h"
#include "../ports.h"
#include "transport.h"

namespace sluice::send {

/// The stream that carries them, and where its numbers go on.
struct PaddingStream {
  Ssrc ssrc = 0;
  uint8_t payloadType = 0;
  SeqNo seq = 0;
  uint32_t timestamp = 0;
};

/// What one octet can count (RFC 3550 §5.1).
inline constexpr size_t kPaddingBytes = 255;
/// Packets of one burst.
inline constexpr size_t kMaxPaddingPackets = DatagramSink::kMaxBurstSegments;

/// Sends `count` packets of equal size as one burst, under transport-wide numbers that follow each other. Returns the
/// size of each as it left; 0 when nothing did.
size_t writePadding(const PaddingStream& stream, size_t count, Transport& transport, DatagramSink& sink, TimeUs nowUs,
                    ShardCounters& counters);

}  // namespace sluice::send
