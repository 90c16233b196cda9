#include "nack_generator.h"

#include <algorithm>

namespace sluice::receive {

bool NackGenerator::missing(SeqNo from, SeqNo to, TimeUs nowUs) {
  if (from >= to) return true;
  if (missing_.size() + static_cast<size_t>(to - from) > kMaxMissing) {
    clear();
    return false;
  }
  if (missing_.capacity() == 0) missing_.reserve(kMaxMissing);
  for (SeqNo seq = from; seq < to; ++seq) missing_.push_back({seq, nowUs, kNever, nowUs, 0});
  nextAtUs_ = std::min(nextAtUs_, nowUs);
  return true;
}

std::optional<TimeUs> NackGenerator::arrived(SeqNo seq, TimeUs nowUs) {
  if (missing_.empty() || seq < missing_.front().seq || seq > missing_.back().seq) return {};
  const auto it =
      std::lower_bound(missing_.begin(), missing_.end(), seq, [](const Missing& m, SeqNo s) { return m.seq < s; });
  if (it == missing_.end() || it->seq != seq) return {};
  std::optional<TimeUs> rtt;
  if (it->tries == 1) rtt = nowUs - it->askedAtUs;
  missing_.erase(it);
  if (missing_.empty()) nextAtUs_ = kNever;
  return rtt;
}

NackGenerator::Due NackGenerator::due(TimeUs nowUs, TimeUs rttUs, std::span<uint16_t> out) {
  Due due;
  if (nowUs < nextAtUs_) return due;
  const TimeUs interval = std::max(rttUs, kMinIntervalUs);
  nextAtUs_ = kNever;
  size_t kept = 0;
  for (Missing& m : missing_) {
    if (m.nextAtUs <= nowUs && due.count < out.size()) {
      if (m.tries >= kMaxTries || nowUs - m.sinceUs >= maxAgeUs_) {
        due.gaveUp = true;
        continue;
      }
      out[due.count++] = static_cast<uint16_t>(m.seq);
      m.askedAtUs = nowUs;
      m.nextAtUs = nowUs + interval;
      ++m.tries;
    }
    nextAtUs_ = std::min(nextAtUs_, m.nextAtUs);
    missing_[kept++] = m;
  }
  missing_.erase(missing_.begin() + static_cast<ptrdiff_t>(kept), missing_.end());
  return due;
}

void NackGenerator::clear() {
  missing_.clear();
  nextAtUs_ = kNever;
}

}  // namespace sluice::receive
