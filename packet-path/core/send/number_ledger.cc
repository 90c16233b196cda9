#include "number_ledger.h"

namespace sluice::send {

std::optional<SeqNo> NumberLedger::begin(Ssrc ssrc, uint64_t random) {
  const auto [it, isNew] = entries_.try_emplace(ssrc);
  Entry& e = it->second;
  if (e.inUse) return {};
  e.inUse = true;
  return isNew ? static_cast<SeqNo>(random & 0x7FFF) : e.next;
}

void NumberLedger::end(Ssrc ssrc, SeqNo next) {
  entries_[ssrc] = {next, false};
  ended_.push_back(ssrc);
  while (ended_.size() > kMaxEnded) {
    const auto oldest = entries_.find(ended_.front());
    if (oldest != entries_.end() && !oldest->second.inUse) entries_.erase(oldest);
    ended_.pop_front();
  }
}

}  // namespace sluice::send
