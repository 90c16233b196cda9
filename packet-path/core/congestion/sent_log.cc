#include "sent_log.h"

#include <algorithm>

#include "../wire/rtcp.h"

namespace sluice::congestion {

namespace {

constexpr size_t kFirstEntries = 128;
// Feedback comes at least every 250 ms: what is older than a slow path's round trip and that is not in flight any more.
constexpr TimeUs kForgetAfterUs = 2 * kSecondUs;

}  // namespace

void SentLog::note(uint16_t seq, uint32_t bytes, ProbeId probe, Content content, TimeUs nowUs) {
  if (first_ == next_) first_ = next_ = extendSeq(seq, next_);
  const SeqNo extended = extendSeq(seq, next_);
  if (extended < next_) return;  // noted before
  newestSentUs_ = nowUs;
  while (first_ < next_ && nowUs - sentAt(at(first_)) > kForgetAfterUs) {
    if (!at(first_).reported) inFlightBytes_ -= at(first_).bytes;
    ++first_;
  }
  while (next_ < extended) {
    Entry& unsent = append();
    unsent.reported = 1;
    unsent.received = 1;
  }
  Entry& entry = append();
  entry.bytes = static_cast<uint16_t>(std::min<uint32_t>(bytes, UINT16_MAX));
  entry.probe = probe & kMaxProbeId;
  entry.padding = content == Content::kPadding ? 1 : 0;
  inFlightBytes_ += entry.bytes;
}

SentLog::Entry& SentLog::append() {
  if (next_ - first_ == static_cast<SeqNo>(entries_.size())) grow();
  Entry& entry = at(next_++);
  entry = Entry{};
  entry.sentUs = static_cast<uint32_t>(newestSentUs_);
  return entry;
}

bool SentLog::read(Bytes control, std::vector<PacketResult>& out) {
  auto reader = wire::TransportFeedbackReader::open(control);
  if (!reader || entries_.empty()) return false;
  // The number nearest to what we sent last: feedback speaks of the recent past.
  SeqNo seq = extendSeq(reader->baseSeq(), next_ - 1);
  while (const auto status = reader->next()) {
    const SeqNo reportedSeq = seq++;
    const bool arrived = status->arrivalTicks != wire::kNotReceived;
    const TimeUs arrivalUs = arrived ? extendArrival(status->arrivalTicks) : kNever;
    if (reportedSeq < first_ || reportedSeq >= next_) continue;
    Entry& entry = at(reportedSeq);
    // A packet may be missing in one message and arrive in the next; it never un-arrives.
    if (entry.received || (entry.reported && !arrived)) continue;
    if (!entry.reported) inFlightBytes_ -= entry.bytes;
    entry.reported = 1;
    entry.received = arrived ? 1 : 0;
    highestReported_ = std::max(highestReported_, reportedSeq);
    out.push_back({reportedSeq, sentAt(entry), arrivalUs, entry.bytes, static_cast<ProbeId>(entry.probe),
                   entry.padding ? Content::kPadding : Content::kMedia});
  }
  return true;
}

void SentLog::grow() {
  if (entries_.size() == kMaxEntries) {
    if (!at(first_).reported) inFlightBytes_ -= at(first_).bytes;
    ++first_;
    return;
  }
  std::vector<Entry> larger(std::max(kFirstEntries, entries_.size() * 2));
  for (SeqNo seq = first_; seq < next_; ++seq) {
    larger[static_cast<size_t>(seq) & (larger.size() - 1)] = at(seq);
  }
  entries_ = std::move(larger);
}

TimeUs SentLog::sentAt(const Entry& entry) const {
  return extendTimestamp(entry.sentUs, newestSentUs_);
}

TimeUs SentLog::extendArrival(int64_t ticks) {
  // The receiver's reference time is 24 bits of 64 ms: 2^32 ticks of 250 µs. Only differences mean anything.
  constexpr int64_t kWrap = int64_t{1} << 32;
  if (!anyArrival_) {
    anyArrival_ = true;
    lastTicks_ = ticks;
    return lastArrivalUs_;
  }
  int64_t delta = (ticks - lastTicks_) % kWrap;
  if (delta > kWrap / 2) delta -= kWrap;
  if (delta < -kWrap / 2) delta += kWrap;
  lastTicks_ = ticks;
  lastArrivalUs_ += delta * wire::kTransportTickUs;
  return lastArrivalUs_;
}

}  // namespace sluice::congestion
