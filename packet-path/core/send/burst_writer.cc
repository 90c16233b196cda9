#include "burst_writer.h"

#include <algorithm>

namespace sluice::send {

namespace {

constexpr size_t kOsnBytes = 2;  // RFC 4588 §4

// More than any header of ours: elements that came in one packet, each with a longer header perhaps, a MID and the
// transport's own.
constexpr size_t kMaxHeaderBytes = Packet::kCapacity + 384;
// One octet of what a packet can be padded by may be spent already, on a packet without payload.
constexpr size_t kReach = BurstWriter::kMaxPadding - 1;

}  // namespace

uint32_t digest(const Outgoing& o) {
  if (o.front.empty() && o.skip == 0 && !o.descriptor) return 0;
  uint32_t h = 2166136261U;  // FNV-1a
  const auto mix = [&h](Bytes bytes) {
    for (const uint8_t b : bytes) h = (h ^ b) * 16777619U;
  };
  const auto mixSize = [&h](size_t size) { h = (h ^ static_cast<uint32_t>(size)) * 16777619U; };
  mixSize(o.skip);
  mixSize(o.front.size());
  mix(o.front);
  mixSize(o.descriptor ? o.descriptor->size() : SIZE_MAX);
  if (o.descriptor) mix(*o.descriptor);
  return h;
}

void BurstWriter::plan(const Outgoing& o, const Transport& transport, Plan& p) {
  p.header = planHeader({*o.packet, transport.extensions, o.mid, o.descriptor});
  // Without a payload there must be padding: a packet of nothing at all means nothing to its receiver.
  const size_t payloadBytes = o.payloadBytes();
  const bool empty = payloadBytes == 0 && !o.repair;
  p.fixedPadding = o.asBefore ? o.stamp.padding : static_cast<uint16_t>(empty ? 1 : 0);
  p.elastic = !o.asBefore && !o.repair && o.packet->paddingRoom() == Packet::kPadding;
  p.bytes = static_cast<uint16_t>(p.header.bytes + payloadBytes + p.fixedPadding + (o.repair ? kOsnBytes : 0) +
                                  transport.seal.rtpOverhead());
}

BurstWriter::Group BurstWriter::group(size_t from, size_t packets) const {
  // All but the last are filled up to the largest; the last may stay shorter.
  size_t largest = plans_[from].bytes;
  size_t smallest = largest;
  bool elastic = plans_[from].elastic;  // all so far
  size_t end = from + 1;
  for (; end < packets; ++end) {
    const Plan& p = plans_[end];
    const size_t newLargest = std::max<size_t>(largest, p.bytes);
    // Everything before this one must reach the new largest.
    if (newLargest - smallest > (elastic ? kReach : 0)) break;
    if ((end - from + 1) * newLargest > DatagramSink::kMaxBurstBytes) break;
    largest = newLargest;
    const bool fits = largest - p.bytes <= (p.elastic ? kReach : 0);
    if (!fits) {
      ++end;  // the short last one
      break;
    }
    smallest = std::min<size_t>(smallest, p.bytes);
    elastic = elastic && p.elastic;
  }
  const size_t count = end - from;
  return {count, largest, (count - 1) * largest + std::min<size_t>(largest, plans_[end - 1].bytes)};
}

size_t BurstWriter::writeOne(Outgoing& o, const Plan& plan, size_t padding, Transport& transport, TimeUs nowUs,
                             MutableBytes out) {
  const Packet& packet = *o.packet;
  padding += plan.fixedPadding;
  if (!o.asBefore) {
    o.stamp = {transport.nextTransportSeq++, static_cast<uint8_t>(padding), !o.mid.empty(), absSendTime(nowUs), 0};
  }
  std::array<uint8_t, kMaxHeaderBytes> header;
  const size_t headerBytes =
      writeHeader(plan.header, {packet, transport.extensions, o.mid, o.descriptor},
                  {o.payloadType, o.marker, static_cast<uint16_t>(o.seq), o.timestamp, o.ssrc}, o.stamp, header);
  Bytes payload = packet.paddedPayload(padding).subspan(o.skip);
  if (o.repair || !o.front.empty()) {
    // The shared packet stays as it is: what differs is put together where it will be sealed.
    const MutableBytes body = out.subspan(headerBytes);
    auto end = body.begin();
    if (o.repair) {
      writeU16(body.data(), o.originalSeq);
      end += kOsnBytes;
    }
    end = std::copy(o.front.begin(), o.front.end(), end);
    end = std::copy(payload.begin(), payload.end(), end);
    payload = Bytes(body.begin(), end);
  }
  return transport.seal.sealRtp(Bytes(header).first(headerBytes), payload, o.seq, out);
}

void BurstWriter::write(std::span<Outgoing> packets, Transport& transport, DatagramSink& sink, TimeUs nowUs,
                        ShardCounters& counters) {
  packets = packets.first(std::min(packets.size(), kMaxPackets));
  for (size_t i = 0; i < packets.size(); ++i) plan(packets[i], transport, plans_[i]);

  for (size_t from = 0; from < packets.size();) {
    const Group g = group(from, packets.size());
    MutableBytes out = sink.reserve(g.totalBytes);
    if (out.size() < g.totalBytes) {
      counters.drop(DropReason::kBurstRefused, g.count);
      from += g.count;
      continue;
    }
    size_t written = 0;
    size_t done = 0;
    for (; done < g.count; ++done) {
      const Plan& p = plans_[from + done];
      const bool last = done + 1 == g.count;
      const size_t padding = last ? 0 : g.segmentBytes - p.bytes;
      const size_t sealed = writeOne(packets[from + done], p, padding, transport, nowUs, out.subspan(written));
      if (sealed == 0) break;
      packets[from + done].sent = true;
      packets[from + done].bytes = static_cast<uint16_t>(sealed);
      written += sealed;
      counters.add(Counter::kRtpPaddingOut, padding);
    }
    if (written > 0) {
      sink.commit(transport.to, written, g.count == 1 ? written : g.segmentBytes);
      transport.datagramsOut += done;
      transport.bytesOut += written;
      counters.add(Counter::kBurstsOut);
      counters.add(Counter::kDatagramsOut, done);
      counters.add(Counter::kBytesOut, written);
    }
    if (done < g.count) {
      counters.drop(DropReason::kSealFailed);
      ++done;
    }
    from += done;
  }
}

}  // namespace sluice::send
