// One outgoing RTP stream: a track on its way to one subscriber, with its retransmissions and reports.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "../packet/packet.h"
#include "../sender_clock.h"
#include "../spec.h"
#include "../wire/rtcp.h"
#include "header.h"
#include "resend_ring.h"

namespace sluice::send {

/// A payload type of a subscriber, by the format it carries.
struct OutgoingFormat {
  uint32_t format = 0;  ///< formatKey()
  uint8_t payloadType = 0;
  std::optional<uint8_t> rtxPayloadType;
  Codec codec = Codec::kOther;
  friend bool operator==(const OutgoingFormat&, const OutgoingFormat&) = default;
};

struct OutgoingTotals {
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t resentPackets = 0;
  uint64_t resentBytes = 0;
  uint64_t nacks = 0;
  uint64_t keyFramesAsked = 0;
};

class OutgoingStream {
 public:
  /// `rtxSeq`: where the retransmission stream's numbers start, 0 … 2^15 (see forward::LayerSelector).
  OutgoingStream(const OutgoingTrackSpec& spec, SeqNo rtxSeq);
  /// Takes over a changed spec of the same SSRC.
  void apply(const OutgoingTrackSpec& spec);

  /// The payload type for a format; null when the subscriber has none.
  [[nodiscard]] const OutgoingFormat* format(uint32_t format);
  /// How this packet goes out: whole, or the newest frame of redundant audio alone. `format` is null when the
  /// subscriber takes neither.
  struct Form {
    const OutgoingFormat* format = nullptr;
    uint16_t skip = 0;
  };
  [[nodiscard]] Form form(const Packet& packet) {
    if (const OutgoingFormat* whole = format(packet.format)) return {whole, 0};
    if (packet.primaryFormat == 0) return {};
    return {format(packet.primaryFormat), packet.primarySkip};
  }

  /// Notes a packet that was sent for the first time, with so many octets of payload.
  void sent(const Packet& packet, size_t payloadBytes, SeqNo out, ResendRing::Form form, const Stamp& stamp);
  void resent(size_t payloadBytes) {
    ++totals_.resentPackets;
    totals_.resentBytes += payloadBytes;
  }
  /// There is no retransmission stream: what is resent must be the same to the last bit.
  [[nodiscard]] bool resendsAsBefore() const { return !spec_.rtxSsrc.has_value(); }
  [[nodiscard]] SeqNo takeRtxSeq() { return rtxSeq_++; }
  /// Retransmissions have another SSRC from now on, whose numbers start here.
  void restartRtx(SeqNo seq) { rtxSeq_ = seq; }
  [[nodiscard]] SeqNo rtxSeq() const { return rtxSeq_; }

  /// Packets already sent cannot be resent bit by bit the same any more: how headers are written has changed.
  void forgetSent() { ring_.reset(); }
  /// Null before the first packet.
  [[nodiscard]] ResendRing* ring() { return ring_ ? &*ring_ : nullptr; }

  /// Our report, as of now, on the publisher's time line: `clock` is the publisher's, `timestampOffset` what this
  /// subscriber's timestamps are shifted by. Empty before the first packet.
  [[nodiscard]] std::optional<wire::SenderInfo> senderReport(const SenderClock& clock, uint32_t timestampOffset,
                                                             TimeUs nowUs);
  /// Has anything been sent since the last sender report?
  [[nodiscard]] bool sentSinceReport() const { return totals_.packets + totals_.resentPackets != reportedPackets_; }

  /// The subscriber's report. The round trip, when it answers a sender report of ours.
  std::optional<TimeUs> receiverReport(const wire::ReportBlock& block, TimeUs nowUs);
  void noteNacks(uint64_t count) { totals_.nacks += count; }
  void noteKeyFrameAsked() { ++totals_.keyFramesAsked; }

  /// What goes into the MID extension; empty once the subscriber has proved, by reporting on this SSRC, that it knows
  /// which media section it belongs to (as libwebrtc does).
  [[nodiscard]] std::string_view mid() const { return acknowledged_ ? std::string_view{} : wireMid(); }
  /// One element takes no more (RFC 8285 §4.3); real ones are shorter than 16.
  [[nodiscard]] std::string_view wireMid() const { return std::string_view(spec_.mid).substr(0, 255); }

  [[nodiscard]] Ssrc ssrc() const { return spec_.ssrc; }
  [[nodiscard]] std::optional<Ssrc> rtxSsrc() const { return spec_.rtxSsrc; }
  [[nodiscard]] const OutgoingTrackSpec& spec() const { return spec_; }
  [[nodiscard]] const OutgoingTotals& totals() const { return totals_; }
  [[nodiscard]] const wire::ReportBlock& lastReport() const { return lastReport_; }
  [[nodiscard]] Codec codec() const { return codec_; }
  [[nodiscard]] uint32_t clockRateHz() const { return clockRateHz_; }

 private:
  struct SentReport {
    uint32_t compactNtp = 0;
    TimeUs atUs = kNever;
  };

  OutgoingTrackSpec spec_;
  std::vector<OutgoingFormat> formats_;
  size_t lastFormat_ = 0;
  std::optional<ResendRing> ring_;
  SeqNo rtxSeq_;
  OutgoingTotals totals_;
  uint64_t reportedPackets_ = 0;
  wire::ReportBlock lastReport_;
  std::array<SentReport, 4> sentReports_{};
  size_t nextSentReport_ = 0;
  Codec codec_ = Codec::kOther;
  uint32_t clockRateHz_ = 0;
  bool acknowledged_ = false;
};

}  // namespace sluice::send
