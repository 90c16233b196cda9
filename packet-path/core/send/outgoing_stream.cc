#include "outgoing_stream.h"

#include "../format.h"

namespace sluice::send {

OutgoingStream::OutgoingStream(const OutgoingTrackSpec& spec, SeqNo rtxSeq) : rtxSeq_(rtxSeq) {
  apply(spec);
}

void OutgoingStream::apply(const OutgoingTrackSpec& spec) {
  std::vector<OutgoingFormat> formats;
  for (const CodecSpec& c : spec.codecs) {
    if (c.payloadType > 127) continue;
    formats.push_back({formatKey(c), c.payloadType, c.rtxPayloadType, c.codec});
  }
  // What was sent cannot be resent bit by bit the same when headers are written differently now.
  if (spec_.mid != spec.mid || spec_.rtxSsrc.has_value() != spec.rtxSsrc.has_value() || formats != formats_) {
    forgetSent();
  }
  spec_ = spec;
  formats_ = std::move(formats);
  lastFormat_ = 0;
}

const OutgoingFormat* OutgoingStream::format(uint32_t format) {
  if (lastFormat_ < formats_.size() && formats_[lastFormat_].format == format) return &formats_[lastFormat_];
  for (size_t i = 0; i < formats_.size(); ++i) {
    if (formats_[i].format == format) {
      lastFormat_ = i;
      return &formats_[i];
    }
  }
  return nullptr;
}

void OutgoingStream::sent(const Packet& packet, size_t payloadBytes, SeqNo out, ResendRing::Form form,
                          const Stamp& stamp) {
  if (!ring_) {
    ring_.emplace(spec_.kind == MediaKind::kVideo ? ResendRing::kVideoPackets : ResendRing::kAudioPackets,
                  resendsAsBefore());
  }
  ring_->sent(out, form, stamp);
  ++totals_.packets;
  totals_.bytes += payloadBytes;
  codec_ = formats_[lastFormat_].codec;
  clockRateHz_ = packet.clockRateHz;
}

std::optional<wire::SenderInfo> OutgoingStream::senderReport(const SenderClock& clock, uint32_t timestampOffset,
                                                             TimeUs nowUs) {
  if (totals_.packets == 0 || !clock.isSet()) return {};
  const TimeUs sinceUs = nowUs - clock.atUs;
  wire::SenderInfo info;
  info.ssrc = spec_.ssrc;
  info.ntp = clock.ntp + wire::ntpFromUs(sinceUs);
  info.rtpTimestamp = clock.rtpTimestamp + timestampOffset +
                      static_cast<uint32_t>(static_cast<uint64_t>(sinceUs) * clockRateHz_ / kSecondUs);
  info.packets = static_cast<uint32_t>(totals_.packets);
  info.octets = static_cast<uint32_t>(totals_.bytes);
  sentReports_[nextSentReport_] = {wire::compactNtp(info.ntp), nowUs};
  nextSentReport_ = (nextSentReport_ + 1) % sentReports_.size();
  reportedPackets_ = totals_.packets + totals_.resentPackets;
  return info;
}

std::optional<TimeUs> OutgoingStream::receiverReport(const wire::ReportBlock& block, TimeUs nowUs) {
  lastReport_ = block;
  acknowledged_ = true;
  if (block.lastSenderReport == 0) return {};
  for (const SentReport& sent : sentReports_) {
    if (sent.atUs == kNever || sent.compactNtp != block.lastSenderReport) continue;
    // RFC 3550 §6.4.1: the time since our report, less what the receiver kept it.
    const auto heldUs = static_cast<TimeUs>(uint64_t{block.delaySinceLastReport} * kSecondUs / 65'536);
    const TimeUs rttUs = nowUs - sent.atUs - heldUs;
    if (rttUs >= 0) return rttUs;
  }
  return {};
}

}  // namespace sluice::send
