// One incoming RTP stream, one SSRC: an encoding of a track. Order, loss, repair, reports, key frames.
#pragma once

#include "../packet/packet.h"
#include "../sender_clock.h"
#include "../spec.h"
#include "../wire/rtcp.h"
#include "key_frame_requester.h"
#include "nack_generator.h"
#include "reception_statistics.h"
#include "sequence.h"

namespace sluice::receive {

/// What became of an incoming packet.
enum class Verdict : uint8_t {
  kAccepted,
  kUnknownSource,
  kUnknownPayloadType,
  kDuplicate,
  kTooOld,
  kRtxMalformed,
  kRtxPadding,
};

/// What a payload type of a track means.
struct PayloadFormat {
  Codec codec = Codec::kOther;
  uint8_t payloadType = 0;
  uint32_t clockRateHz = 90'000;
  uint32_t format = 0;  ///< formatKey()
};

struct StreamTotals {
  uint64_t packets = 0;  ///< distinct, repaired ones included
  uint64_t bytes = 0;
  uint64_t recovered = 0;
  uint64_t duplicates = 0;
  uint64_t nacks = 0;
  uint64_t keyFrames = 0;
};

class IncomingStream {
 public:
  struct Options {
    MediaKind kind = MediaKind::kAudio;
    bool nack = false;
  };

  IncomingStream(Ssrc ssrc, Options options);

  /// Notes a packet whose header fields and payload are filled in, and completes it: extended sequence number, format,
  /// entry point. `packet.recovered` tells a repaired one; its number is then the original's.
  Verdict receive(Packet& packet, uint16_t wireSeq, const PayloadFormat& format, TimeUs nowUs);
  /// The round trip that the last packet measured by answering a request, if it did.
  [[nodiscard]] std::optional<TimeUs> takeRttSample() { return std::exchange(rttSample_, std::nullopt); }

  void senderReport(const wire::SenderInfo& info, TimeUs nowUs);
  /// A publisher that never reports gets a clock from when its packets arrive. True when the clock was set.
  bool standInForReports(TimeUs nowUs);
  void wantKeyFrame(TimeUs nowUs);

  /// Appends the NACK and PLI that are due. True when there is more than fitted. Counts what it asked for.
  struct Asked {
    uint64_t nacks = 0;
    uint64_t keyFrames = 0;
    bool more = false;
  };
  [[nodiscard]] Asked writeDue(wire::RtcpWriter& writer, Ssrc sender, TimeUs nowUs, TimeUs rttUs);
  /// Of writeDue.
  [[nodiscard]] TimeUs nextDeadline() const;

  /// Empty before the first packet.
  [[nodiscard]] std::optional<wire::ReportBlock> report(TimeUs nowUs);

  [[nodiscard]] Ssrc ssrc() const { return ssrc_; }
  [[nodiscard]] const SenderClock& clock() const { return clock_; }
  [[nodiscard]] const StreamTotals& totals() const { return totals_; }
  [[nodiscard]] const PayloadFormat& format() const { return format_; }
  [[nodiscard]] int64_t lost() const { return sequence_.expected() - statistics_.received(); }
  [[nodiscard]] uint64_t keyFramesAsked() const { return keyFrames_.asked(); }
  [[nodiscard]] double jitterMs() const;
  [[nodiscard]] TimeUs lastPacketAtUs() const { return lastPacketAtUs_; }
  [[nodiscard]] bool started() const { return sequence_.started(); }

 private:
  Ssrc ssrc_;
  Options options_;
  Sequence sequence_;
  ReceptionStatistics statistics_;
  NackGenerator nacks_;
  KeyFrameRequester keyFrames_;
  SenderClock clock_;
  StreamTotals totals_;
  PayloadFormat format_;
  std::optional<TimeUs> rttSample_;
  TimeUs firstPacketAtUs_ = kNever;
  TimeUs lastPacketAtUs_ = 0;
  uint32_t lastTimestamp_ = 0;
};

}  // namespace sluice::receive
