// What a receiver reports of one stream: loss and jitter (RFC 3550 §6.4.1, appendices A.3 and A.8).
#pragma once

#include "../wire/rtcp.h"
#include "../wire/types.h"

namespace sluice::receive {

/// Counts packets as the network brought them: repaired ones are not among them, so that reported loss is the path's.
class ReceptionStatistics {
 public:
  void note(uint32_t timestamp, TimeUs nowUs, uint32_t clockRateHz);
  void noteSenderReport(uint64_t ntp, TimeUs nowUs);

  /// `expected` and `highest` are the sequence's. Begins a new interval for the fraction lost.
  [[nodiscard]] wire::ReportBlock report(Ssrc ssrc, int64_t expected, SeqNo highest, TimeUs nowUs);

  [[nodiscard]] int64_t received() const { return received_; }
  /// In timestamp units.
  [[nodiscard]] uint32_t jitter() const { return jitter16_ >> 4; }

 private:
  int64_t received_ = 0;
  int64_t reportedExpected_ = 0;
  int64_t reportedReceived_ = 0;
  uint32_t jitter16_ = 0;  // in sixteenths, as in appendix A.8
  uint32_t lastTransit_ = 0;
  bool hasTransit_ = false;
  uint32_t lastSenderReport_ = 0;  // compact NTP
  TimeUs lastSenderReportAtUs_ = kNever;
};

}  // namespace sluice::receive
