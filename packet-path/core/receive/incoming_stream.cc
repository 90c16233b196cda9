#include "incoming_stream.h"

#include <algorithm>
#include <array>

#include "key_frame.h"

namespace sluice::receive {

namespace {

// How long a lost packet is worth asking for. Video waits in the receivers' jitter buffers, and a frame that came late
// still saves the ones after it; audio is concealed and gone.
constexpr TimeUs kVideoRepairUs = kSecondUs;
constexpr TimeUs kAudioRepairUs = 300 * kMillisecondUs;

// RFC 3550 §6.2: five seconds between reports at the most, for so small a group; a lost one is allowed for.
constexpr TimeUs kMaxReportGapUs = 11 * kSecondUs;

}  // namespace

IncomingStream::IncomingStream(Ssrc ssrc, Options options)
    : ssrc_(ssrc), options_(options), nacks_(options.kind == MediaKind::kVideo ? kVideoRepairUs : kAudioRepairUs) {}

Verdict IncomingStream::receive(Packet& packet, uint16_t wireSeq, const PayloadFormat& format, TimeUs nowUs) {
  Sequence::Outcome outcome;
  if (packet.recovered) {
    const auto repaired = sequence_.noteRepaired(wireSeq);
    if (!repaired) return Verdict::kTooOld;
    outcome = *repaired;
  } else {
    outcome = sequence_.note(wireSeq);
  }
  if (outcome.verdict == Sequence::Verdict::kTooOld) return Verdict::kTooOld;
  if (outcome.verdict == Sequence::Verdict::kDuplicate) {
    ++totals_.duplicates;
    return Verdict::kDuplicate;
  }

  packet.seq = outcome.seq;
  packet.ssrc = ssrc_;
  packet.payloadType = format.payloadType;
  packet.clockRateHz = format.clockRateHz;
  packet.format = format.format;
  packet.receivedAtUs = nowUs;
  const bool keyFrame = startsKeyFrame(format.codec, packet.payload());
  packet.entryPoint = keyFrame || !needsKeyFrame(format.codec);
  packet.preparePadding();

  if (outcome.restarted) nacks_.clear();
  if (options_.nack) {
    if (!nacks_.missing(outcome.missingFrom, outcome.missingTo, nowUs)) wantKeyFrame(nowUs);
    rttSample_ = nacks_.arrived(outcome.seq, nowUs);
  }
  if (keyFrame) {
    ++totals_.keyFrames;
    keyFrames_.arrived();
  }
  if (packet.recovered) {
    ++totals_.recovered;
  } else {
    statistics_.note(packet.timestamp, nowUs, format.clockRateHz);
  }
  ++totals_.packets;
  totals_.bytes += packet.payloadSize;
  format_ = format;
  if (firstPacketAtUs_ == kNever) firstPacketAtUs_ = nowUs;
  if (!packet.recovered) {
    lastPacketAtUs_ = nowUs;
    lastTimestamp_ = packet.timestamp;
  }
  return Verdict::kAccepted;
}

void IncomingStream::senderReport(const wire::SenderInfo& info, TimeUs nowUs) {
  statistics_.noteSenderReport(info.ntp, nowUs);
  clock_ = {ssrc_, info.ntp, info.rtpTimestamp, nowUs};
}

bool IncomingStream::standInForReports(TimeUs nowUs) {
  if (firstPacketAtUs_ == kNever || nowUs - firstPacketAtUs_ < kMaxReportGapUs) return false;
  clock_ = {ssrc_, wire::ntpFromUs(lastPacketAtUs_), lastTimestamp_, lastPacketAtUs_};
  return true;
}

void IncomingStream::wantKeyFrame(TimeUs nowUs) {
  if (options_.kind == MediaKind::kVideo) keyFrames_.want(nowUs);
}

IncomingStream::Asked IncomingStream::writeDue(wire::RtcpWriter& writer, Ssrc sender, TimeUs nowUs, TimeUs rttUs) {
  // One NACK block names at most this many packets, so that with a scattered loss pattern it still fits a datagram.
  constexpr size_t kMaxNacksPerBlock = 64;
  constexpr size_t kMaxBlockBytes = 12 + 4 * kMaxNacksPerBlock;
  Asked asked;
  if (nowUs < nextDeadline()) return asked;
  if (writer.room() < kMaxBlockBytes + 12) {
    asked.more = true;
    return asked;
  }
  std::array<uint16_t, kMaxNacksPerBlock> seqs{};
  const NackGenerator::Due due = nacks_.due(nowUs, rttUs, seqs);
  if (due.gaveUp) wantKeyFrame(nowUs);
  if (due.count > 0 && writer.nack(sender, ssrc_, std::span(seqs).first(due.count))) {
    asked.nacks = due.count;
    totals_.nacks += due.count;
  }
  if (keyFrames_.due(nowUs, rttUs) && writer.pli(sender, ssrc_)) asked.keyFrames = 1;
  asked.more = nextDeadline() <= nowUs;
  return asked;
}

TimeUs IncomingStream::nextDeadline() const {
  return std::min(nacks_.nextDeadline(), keyFrames_.nextDeadline());
}

std::optional<wire::ReportBlock> IncomingStream::report(TimeUs nowUs) {
  if (!sequence_.started()) return {};
  return statistics_.report(ssrc_, sequence_.expected(), sequence_.highest(), nowUs);
}

double IncomingStream::jitterMs() const {
  return format_.clockRateHz == 0 ? 0 : 1'000.0 * statistics_.jitter() / format_.clockRateHz;
}

}  // namespace sluice::receive
