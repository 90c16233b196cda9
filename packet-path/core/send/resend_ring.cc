#include "resend_ring.h"

#include <algorithm>

namespace sluice::send {

ResendRing::ResendRing(size_t packets, bool keepStamps) : entries_(packets), stamps_(keepStamps ? packets : 0) {}

void ResendRing::sent(SeqNo out, Form form, const Stamp& stamp) {
  const auto size = static_cast<SeqNo>(entries_.size());
  if (out <= highest_ - size) return;
  if (highest_ < 0) first_ = out;
  // Numbers that were skipped are not in the ring: a slot's last lap must not answer for them.
  for (SeqNo skipped = std::max(highest_ + 1, out - size + 1); skipped < out; ++skipped) {
    entries_[index(skipped)] = {};
  }
  highest_ = std::max(highest_, out);
  entries_[index(out)] = {0, 0, 1, form.marker, form.empty};
  if (!stamps_.empty()) stamps_[index(out)] = stamp;
}

ResendRing::Answer ResendRing::ask(uint16_t wire, TimeUs nowUs, TimeUs rttUs) {
  Answer answer;
  answer.out = extend(wire);
  if (answer.out > highest_ || answer.out < first_ || answer.out <= highest_ - static_cast<SeqNo>(entries_.size())) {
    return answer;
  }
  Entry& e = entries_[index(answer.out)];
  if (e.used == 0) {
    answer.verdict = Verdict::kUnsent;
    return answer;
  }
  const auto nowMs = static_cast<uint16_t>(nowUs / kMillisecondUs);
  // The difference wraps after a minute, when packet and entry are long gone.
  const auto sinceMs = static_cast<uint16_t>(nowMs - e.resentAtMs);
  const bool justNow = e.resends > 0 && sinceMs * kMillisecondUs < rttUs / 2;
  if (e.resends >= kMaxResends || justNow) {
    answer.verdict = Verdict::kTooOften;
    return answer;
  }
  e.resends = static_cast<uint8_t>((e.resends + 1) & 0xF);
  e.resentAtMs = nowMs;
  answer.verdict = Verdict::kResend;
  answer.form = {e.marker != 0, e.empty != 0};
  if (!stamps_.empty()) answer.stamp = stamps_[index(answer.out)];
  return answer;
}

}  // namespace sluice::send
