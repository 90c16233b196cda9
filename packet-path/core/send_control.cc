#include "send_control.h"

#include <algorithm>

#include "send/padding_writer.h"

namespace sluice {

namespace {

// The payload type of retransmissions of what this stream carried last.
std::optional<uint8_t> repairPayloadType(const send::OutgoingStream& stream) {
  for (const CodecSpec& c : stream.spec().codecs) {
    if (c.codec == stream.codec() && c.rtxPayloadType) return c.rtxPayloadType;
  }
  return {};
}

bool canCarry(const Subscriber& subscriber) {
  const send::OutgoingStream& stream = subscriber.stream;
  return stream.rtxSsrc() && stream.totals().packets > 0 && repairPayloadType(stream);
}

// RTP time means nothing without media; it should advance all the same (RFC 3550 §5.1).
uint32_t paddingTimestamp(TimeUs nowUs) {
  return static_cast<uint32_t>(nowUs * 9 / 100);
}

}  // namespace

void SendControl::feedback(Bytes control, TimeUs rttUs, TimeUs nowUs) {
  estimator_.setRtt(rttUs);
  if (!estimator_.onFeedback(control, nowUs)) return;
  if (nextLookUs_ == kNever) look(nowUs);
}

TimeUs SendControl::nextDeadline() const {
  return carrier_ ? std::min(nextLookUs_, estimator_.nextDeadline()) : nextLookUs_;
}

void SendControl::onDeadline(TimeUs nowUs) {
  if (nextLookUs_ <= nowUs) look(nowUs);
  if (carrier_ && estimator_.nextDeadline() <= nowUs) probe(nowUs);
}

void SendControl::look(TimeUs nowUs) {
  if (lookedUs_ > 0 && nowUs > lookedUs_) {
    const uint64_t sent = transport_.bytesOut - lookedBytes_;
    estimator_.setWanted(static_cast<congestion::Bps>(sent * 8 * kSecondUs / static_cast<uint64_t>(nowUs - lookedUs_)));
  }
  lookedUs_ = nowUs;
  lookedBytes_ = transport_.bytesOut;
  nextLookUs_ = nowUs + kIntervalUs;
  nextLookUs_ -= nextLookUs_ % gridUs_;
  const Subscriber* found = carrier();
  carrier_ = found == nullptr ? std::nullopt : std::optional(found->stream.ssrc());
}

Subscriber* SendControl::carrier() {
  if (carrier_) {
    Subscriber* known = subscriptions_.find(*carrier_);
    if (known != nullptr && canCarry(*known)) return known;
  }
  Subscriber* found = nullptr;
  subscriptions_.forEach([&](Subscriber& each) {
    if (found == nullptr && canCarry(each)) found = &each;
  });
  return found;
}

void SendControl::probe(TimeUs nowUs) {
  Subscriber* through = carrier();
  if (through == nullptr) {
    carrier_.reset();
    return;
  }
  const uint32_t bytes = estimator_.paddingDue(nowUs);
  if (bytes == 0) return;
  send::OutgoingStream& stream = through->stream;
  const size_t count = std::min((bytes + send::kPaddingBytes - 1) / send::kPaddingBytes, send::kMaxPaddingPackets);
  const uint16_t firstSeq = transport_.nextTransportSeq;
  const send::PaddingStream on{*stream.rtxSsrc(), *repairPayloadType(stream), stream.rtxSeq(), paddingTimestamp(nowUs)};
  const size_t each = send::writePadding(on, count, transport_, shard_.world.datagrams(), nowUs, shard_.counters);
  for (size_t i = 0; i < count; ++i) (void)stream.takeRtxSeq();
  const auto sent = static_cast<uint16_t>(transport_.nextTransportSeq - firstSeq);
  for (uint16_t i = 0; i < sent; ++i) {
    estimator_.onSend(static_cast<uint16_t>(firstSeq + i), static_cast<uint32_t>(each), nowUs);
  }
}

SendSnapshot SendControl::snapshot() const {
  const congestion::EstimatorSnapshot e = estimator_.snapshot();
  return {static_cast<uint64_t>(e.target),
          static_cast<uint64_t>(e.acked.value_or(0)),
          e.loss,
          e.inherentLoss,
          static_cast<double>(e.queueUs) / 1'000.0,
          e.bytesInFlight};
}

}  // namespace sluice
