#include "outgoing_rtp.h"

#include <algorithm>
#include <array>

namespace sluice::peer {

using wire::ExtensionKind;

namespace {

// Room for the fixed header and every element below.
constexpr size_t kMaxHeaderBytes = 128;
constexpr size_t kMaxNameBytes = 16;  // of a one-byte element (RFC 8285 §4.2)
constexpr size_t kOsnBytes = 2;       // RFC 4588 §4
constexpr uint8_t kLargestSmallId = 14;
// From the Unix epoch to that of NTP (RFC 5905 figure 4).
constexpr TimeUs kNtpEpochUs = int64_t{2'208'988'800} * kSecondUs;

Bytes bytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

OutgoingRtp::OutgoingRtp(Config config, uint16_t firstSeq, uint16_t firstRtxSeq)
    : config_(std::move(config)),
      sent_(std::max<size_t>(config_.history, 1)),
      seq_(static_cast<uint16_t>(firstSeq & 0x7FFF)),
      rtxSeq_(static_cast<uint16_t>(firstRtxSeq & 0x7FFF)) {
  if (config_.mid.size() > kMaxNameBytes) config_.mid.resize(kMaxNameBytes);
  if (config_.rid.size() > kMaxNameBytes) config_.rid.resize(kMaxNameBytes);
}

size_t OutgoingRtp::writeHeader(const Fields& fields, bool repair, uint16_t seq, OutgoingTransport& transport,
                                MutableBytes out) const {
  const wire::ExtensionMap& ids = transport.extensions;
  const ExtensionKind ridKind = repair ? ExtensionKind::kRepairedRid : ExtensionKind::kRid;
  // One form for all elements: two bytes as soon as one id needs them.
  const bool small = std::max({ids.id(ExtensionKind::kMid), ids.id(ridKind), ids.id(ExtensionKind::kTransportCc),
                               ids.id(ExtensionKind::kAudioLevel)}) <= kLargestSmallId;
  wire::RtpHeaderWriter writer(out, small ? wire::ExtensionForm::kOneByte : wire::ExtensionForm::kTwoByte);
  const uint8_t payloadType = repair ? config_.rtxPayloadType.value_or(0) : fields.payloadType;
  const Ssrc ssrc = repair ? config_.rtxSsrc.value_or(0) : config_.ssrc;
  writer.fixed(payloadType, fields.marker, seq, fields.timestamp, ssrc, false);
  const auto add = [&](ExtensionKind kind, Bytes data) {
    if (ids.id(kind) != 0 && !data.empty()) writer.add(ids.id(kind), data);
  };
  if (ids.id(ExtensionKind::kTransportCc) != 0) {
    std::array<uint8_t, 2> number{};
    writeU16(number.data(), transport.nextTransportSeq++);
    add(ExtensionKind::kTransportCc, number);
  }
  // A repair stream's own SSRC is not acknowledged by reports on the original.
  if (!acknowledged_ || repair) {
    add(ExtensionKind::kMid, bytesOf(config_.mid));
    add(ridKind, bytesOf(config_.rid));
  }
  // RFC 6464 §3: the first bit says that it is voice.
  if (fields.audioLevel) {
    const std::array<uint8_t, 1> level{static_cast<uint8_t>(0x80 | (*fields.audioLevel & 0x7F))};
    add(ExtensionKind::kAudioLevel, level);
  }
  return writer.finish();
}

Bytes OutgoingRtp::write(const Fields& fields, Bytes payload, OutgoingTransport& transport) {
  const uint16_t seq = seq_++;
  Sent& sent = sent_[seq & (sent_.size() - 1)];
  sent.seq = seq;
  sent.fields = fields;
  sent.bytes.resize(kMaxHeaderBytes + payload.size());
  sent.payloadOffset = writeHeader(fields, false, seq, transport, sent.bytes);
  std::copy(payload.begin(), payload.end(), sent.bytes.begin() + static_cast<std::ptrdiff_t>(sent.payloadOffset));
  sent.bytes.resize(sent.payloadOffset + payload.size());
  ++totals_.packets;
  totals_.bytes += payload.size();
  return sent.bytes;
}

Bytes OutgoingRtp::repairOf(const Sent& sent, OutgoingTransport& transport) {
  const Bytes payload = Bytes(sent.bytes).subspan(sent.payloadOffset);
  totals_.resentBytes += payload.size();
  ++totals_.resent;
  // Without a repair stream it goes out once more as it was.
  if (!config_.rtxSsrc || !config_.rtxPayloadType) return sent.bytes;
  repair_.resize(kMaxHeaderBytes + kOsnBytes + payload.size());
  const size_t header = writeHeader(sent.fields, true, rtxSeq_++, transport, repair_);
  writeU16(repair_.data() + header, static_cast<uint16_t>(sent.seq));
  std::copy(payload.begin(), payload.end(), repair_.begin() + static_cast<std::ptrdiff_t>(header + kOsnBytes));
  repair_.resize(header + kOsnBytes + payload.size());
  return repair_;
}

void OutgoingRtp::resend(Bytes control, OutgoingTransport& transport, MediaOut& out) {
  wire::readNacks(control, [&](uint16_t seq) {
    ++totals_.nacks;
    const Sent& sent = sent_[seq & (sent_.size() - 1)];
    if (config_.history == 0 || sent.seq != seq) {
      ++totals_.unknown;
      return;
    }
    const Bytes packet = repairOf(sent, transport);
    out.sendRtp(std::span(&packet, 1));
  });
}

std::optional<wire::SenderInfo> OutgoingRtp::senderReport(TimeUs time, uint32_t timestamp) const {
  if (totals_.packets == 0) return {};
  wire::SenderInfo info;
  info.ssrc = config_.ssrc;
  info.ntp = wire::ntpFromUs(time + kNtpEpochUs);
  info.rtpTimestamp = timestamp;
  info.packets = static_cast<uint32_t>(totals_.packets);
  info.octets = static_cast<uint32_t>(totals_.bytes);
  return info;
}

std::optional<TimeUs> OutgoingRtp::receiverReport(const wire::ReportBlock& block, TimeUs time) {
  acknowledged_ = true;
  lastReport_ = block;
  if (block.lastSenderReport == 0) return {};
  // RFC 3550 §6.4.1: arrival - LSR - DLSR, in 1/65536 s.
  const uint32_t arrival = wire::compactNtp(wire::ntpFromUs(time + kNtpEpochUs));
  const auto roundTrip = static_cast<int32_t>(arrival - block.lastSenderReport - block.delaySinceLastReport);
  if (roundTrip < 0) return {};
  return static_cast<TimeUs>(roundTrip) * kSecondUs / 65'536;
}

}  // namespace sluice::peer
