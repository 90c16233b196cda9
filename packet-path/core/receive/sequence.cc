#include "sequence.h"

namespace sluice::receive {

namespace {
constexpr SeqNo kCycle = 65'536;
}

Sequence::Outcome Sequence::note(uint16_t wire) {
  if (!started_) return start(kCycle + wire);  // a cycle up: what is a little older than the first stays positive
  const SeqNo seq = extendSeq(wire, highest_);
  const SeqNo ahead = seq - highest_;
  if (ahead > kMaxJump || ahead <= -kWindow) {
    // RFC 3550 appendix A.1: two packets in a row at the new place prove that the sender moved there.
    if (wire == restartAt_) {
      expectedBefore_ += highest_ - base_ + 1;
      Outcome o = start((highest_ / kCycle + 2) * kCycle + wire);
      o.restarted = true;
      return o;
    }
    restartAt_ = static_cast<uint16_t>(wire + 1);
    return {};
  }
  restartAt_ = -1;
  if (ahead <= 0) return noteBehind(seq);
  for (SeqNo s = highest_ + 1; s <= seq && s <= highest_ + kWindow; ++s) clear(s);
  const Outcome o{Verdict::kNew, seq, highest_ + 1, seq, false};
  mark(seq);
  highest_ = seq;
  return o;
}

std::optional<Sequence::Outcome> Sequence::noteRepaired(uint16_t wire) {
  if (!started_) return {};
  const SeqNo seq = extendSeq(wire, highest_);
  if (seq > highest_ || seq <= highest_ - kWindow) return {};
  return noteBehind(seq);
}

Sequence::Outcome Sequence::start(SeqNo seq) {
  started_ = true;
  restartAt_ = -1;
  base_ = highest_ = seq;
  bits_ = {};
  mark(seq);
  return {Verdict::kNew, seq, seq, seq, false};
}

Sequence::Outcome Sequence::noteBehind(SeqNo seq) {
  if (seen(seq)) return {Verdict::kDuplicate, seq, seq, seq, false};
  mark(seq);
  if (seq < base_) base_ = seq;  // reordered around the first packet
  return {Verdict::kNew, seq, seq, seq, false};
}

}  // namespace sluice::receive
