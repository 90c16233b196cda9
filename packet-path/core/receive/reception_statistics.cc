#include "reception_statistics.h"

#include <algorithm>

namespace sluice::receive {

void ReceptionStatistics::note(uint32_t timestamp, TimeUs nowUs, uint32_t clockRateHz) {
  ++received_;
  const auto arrival = static_cast<uint32_t>(static_cast<uint64_t>(nowUs) * clockRateHz / kSecondUs);
  const uint32_t transit = arrival - timestamp;
  if (hasTransit_) {
    const auto difference = static_cast<int32_t>(transit - lastTransit_);
    const auto d = static_cast<uint32_t>(difference < 0 ? -int64_t{difference} : difference);
    // A jump of more than four seconds is a new time line, not jitter.
    if (d < 4 * clockRateHz) jitter16_ += d - ((jitter16_ + 8) >> 4);
  }
  lastTransit_ = transit;
  hasTransit_ = true;
}

void ReceptionStatistics::noteSenderReport(uint64_t ntp, TimeUs nowUs) {
  lastSenderReport_ = wire::compactNtp(ntp);
  lastSenderReportAtUs_ = nowUs;
}

wire::ReportBlock ReceptionStatistics::report(Ssrc ssrc, int64_t expected, SeqNo highest, TimeUs nowUs) {
  wire::ReportBlock b;
  b.ssrc = ssrc;
  const int64_t expectedNow = expected - reportedExpected_;
  const int64_t lostNow = expectedNow - (received_ - reportedReceived_);
  if (expectedNow > 0 && lostNow > 0) {
    b.fractionLost = static_cast<uint8_t>(std::min<int64_t>(255, lostNow * 256 / expectedNow));
  }
  reportedExpected_ = expected;
  reportedReceived_ = received_;
  b.lost = static_cast<int32_t>(std::clamp<int64_t>(expected - received_, -0x80'0000, 0x7F'FFFF));
  // The cycle count began at one (see Sequence::note).
  b.highestSeq = static_cast<uint32_t>(highest - 65'536);
  b.jitter = jitter();
  if (lastSenderReportAtUs_ != kNever) {
    b.lastSenderReport = lastSenderReport_;
    b.delaySinceLastReport =
        static_cast<uint32_t>(static_cast<uint64_t>(nowUs - lastSenderReportAtUs_) * 65'536 / kSecondUs);
  }
  return b;
}

}  // namespace sluice::receive
