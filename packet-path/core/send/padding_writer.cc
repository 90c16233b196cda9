#include "padding_writer.h"

#include <algorithm>
#include <array>

#include "../wire/rtp.h"
#include "header.h"

namespace sluice::send {

using wire::ExtensionForm;
using wire::ExtensionKind;

namespace {

// Both elements in the longer form, and the fixed header.
constexpr size_t kMaxHeaderBytes = 40;

size_t writePaddingHeader(const PaddingStream& stream, const Transport& transport, uint16_t transportSeq, TimeUs nowUs,
                          MutableBytes out) {
  const uint8_t transportId = transport.extensions.id(ExtensionKind::kTransportCc);
  const uint8_t timeId = transport.extensions.id(ExtensionKind::kAbsSendTime);
  const bool oneByte = transportId <= 14 && timeId <= 14;  // RFC 8285 §4.2
  wire::RtpHeaderWriter writer(out, oneByte ? ExtensionForm::kOneByte : ExtensionForm::kTwoByte);
  writer.fixed(stream.payloadType, false, static_cast<uint16_t>(stream.seq), stream.timestamp, stream.ssrc, true);
  if (transportId != 0) {
    std::array<uint8_t, 2> data{};
    writeU16(data.data(), transportSeq);
    (void)writer.add(transportId, data);
  }
  if (timeId != 0) {
    std::array<uint8_t, 3> data{};
    writeU24(data.data(), absSendTime(nowUs));
    (void)writer.add(timeId, data);
  }
  return writer.finish();
}

}  // namespace

size_t writePadding(const PaddingStream& stream, size_t count, Transport& transport, DatagramSink& sink, TimeUs nowUs,
                    ShardCounters& counters) {
  count = std::min(count, kMaxPaddingPackets);
  if (count == 0) return 0;
  std::array<uint8_t, kPaddingBytes> payload{};
  payload.back() = static_cast<uint8_t>(kPaddingBytes);
  const size_t most = kMaxHeaderBytes + kPaddingBytes + transport.seal.rtpOverhead();
  MutableBytes out = sink.reserve(count * most);
  if (out.size() < count * most) {
    counters.drop(DropReason::kBurstRefused, count);
    return 0;
  }
  PaddingStream next = stream;
  size_t written = 0;
  size_t done = 0;
  for (; done < count; ++done, ++next.seq) {
    std::array<uint8_t, kMaxHeaderBytes> header;
    const size_t headerBytes = writePaddingHeader(next, transport, transport.nextTransportSeq, nowUs, header);
    const size_t sealed =
        transport.seal.sealRtp(Bytes(header).first(headerBytes), payload, next.seq, out.subspan(written));
    if (sealed == 0) break;
    ++transport.nextTransportSeq;
    written += sealed;
  }
  if (done < count) counters.drop(DropReason::kSealFailed, count - done);
  if (done == 0) return 0;
  const size_t each = written / done;
  sink.commit(transport.to, written, each);
  transport.datagramsOut += done;
  transport.bytesOut += written;
  counters.add(Counter::kBurstsOut);
  counters.add(Counter::kDatagramsOut, done);
  counters.add(Counter::kBytesOut, written);
  counters.add(Counter::kProbePacketsOut, done);
  return each;
}

}  // namespace sluice::send
