// Which packet went when: turns transport-wide feedback into packet results.
#pragma once

#include <vector>

#include "types.h"

namespace sluice::congestion {

/// Remembers what was sent until feedback names it. Grows with what is in flight, up to kMaxEntries; older packets are
/// forgotten.
class SentLog {
 public:
  /// 8192 packets are 2 s of 40 Mbit/s. Feedback later than that has nothing left to steer.
  static constexpr size_t kMaxEntries = 8'192;

  /// A packet left now under this transport-wide sequence number. Numbers grow; those left out were never sent.
  void note(uint16_t seq, uint32_t bytes, ProbeId probe, Content content, TimeUs nowUs);

  /// Reads one feedback message's control information (RFC 4585 FCI); appends one result for each packet that it
  /// reports and that was not reported received before. False when the message cannot be read.
  [[nodiscard]] bool read(Bytes control, std::vector<PacketResult>& out);

  /// Sent, not reported yet, and not older than the newest report: what fills the path now.
  [[nodiscard]] uint64_t bytesInFlight() const { return inFlightBytes_; }
  [[nodiscard]] size_t capacity() const { return entries_.size(); }

 private:
  struct Entry {
    uint32_t sentUs = 0;  // lower 32 bits; extended by the newest
    uint16_t bytes = 0;
    uint16_t probe : 13 = 0;
    uint16_t padding : 1 = 0;
    uint16_t reported : 1 = 0;  // received, or counted as missing once
    uint16_t received : 1 = 0;
  };

  [[nodiscard]] Entry& at(SeqNo seq) { return entries_[static_cast<size_t>(seq) & (entries_.size() - 1)]; }
  Entry& append();
  void grow();
  [[nodiscard]] TimeUs sentAt(const Entry& entry) const;
  [[nodiscard]] TimeUs extendArrival(int64_t ticks);

  std::vector<Entry> entries_;
  SeqNo first_ = 0;  // oldest remembered
  SeqNo next_ = 0;
  TimeUs newestSentUs_ = 0;
  SeqNo highestReported_ = -1;
  int64_t lastTicks_ = 0;
  TimeUs lastArrivalUs_ = 0;
  bool anyArrival_ = false;
  uint64_t inFlightBytes_ = 0;
};

}  // namespace sluice::congestion
