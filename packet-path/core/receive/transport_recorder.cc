#include "transport_recorder.h"

#include <algorithm>

namespace sluice::receive {

void TransportRecorder::note(uint16_t wire, TimeUs nowUs) {
  if (!started_) {
    started_ = true;
    ticks_.fill(wire::kNotReceived);
    highest_ = next_ = 65'536 + SeqNo{wire};
  }
  const SeqNo seq = extendSeq(wire, highest_);
  if (seq <= highest_ - kWindow) return;
  if (seq - highest_ >= kWindow) {
    // Nothing between is worth telling: the sender's numbers went elsewhere.
    ticks_.fill(wire::kNotReceived);
    next_ = seq;
    highest_ = seq;
  }
  while (highest_ < seq) slot(++highest_) = wire::kNotReceived;
  if (slot(seq) != wire::kNotReceived) return;
  slot(seq) = nowUs / wire::kTransportTickUs;
  // A late one is reported after all, and with it again what follows it.
  next_ = std::max(std::min(next_, seq), highest_ - kWindow + 1);
  if (dueAtUs_ == kNever) dueAtUs_ = nowUs + kIntervalUs;
  if (highest_ - next_ >= kMaxUnreported) dueAtUs_ = nowUs;
}

bool TransportRecorder::write(wire::RtcpWriter& writer, Ssrc sender, Ssrc media) {
  while (next_ <= highest_ && slot(next_) == wire::kNotReceived) ++next_;
  if (next_ <= highest_) {
    // The ring as one span, up to where it wraps: the rest is another message.
    const auto from = static_cast<size_t>(static_cast<uint64_t>(next_) % kWindow);
    const auto count = std::min(static_cast<size_t>(highest_ - next_ + 1), static_cast<size_t>(kWindow) - from);
    const size_t covered = writer.transportFeedback(sender, media, static_cast<uint16_t>(next_), feedbackCount_,
                                                    std::span<const int64_t>(ticks_).subspan(from, count));
    if (covered > 0) ++feedbackCount_;
    next_ += static_cast<SeqNo>(covered);
  }
  if (next_ <= highest_) return true;
  dueAtUs_ = kNever;
  return false;
}

}  // namespace sluice::receive
