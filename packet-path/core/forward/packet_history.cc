#include "packet_history.h"

#include <algorithm>

namespace sluice::forward {

void PacketHistory::put(const PacketRef& packet) {
  const auto capacity = static_cast<SeqNo>(slots_.size());
  const SeqNo seq = packet->seq;
  if (empty() || packet->ssrc != ssrc_ || seq >= end_ + capacity) {
    clear();
    ssrc_ = packet->ssrc;
    oldest_ = seq;
    end_ = seq;
  }
  if (seq < end_ - capacity) return;  // behind everything the ring can hold
  for (; oldest_ <= seq - capacity; ++oldest_) slots_[index(oldest_)] = {};
  slots_[index(seq)] = packet;
  oldest_ = std::min(oldest_, seq);
  end_ = std::max(end_, seq + 1);
  trim(packet->receivedAtUs);
}

const PacketRef* PacketHistory::find(Ssrc ssrc, SeqNo seq) const {
  if (seq < oldest_ || seq >= end_) return nullptr;
  const PacketRef& slot = slots_[index(seq)];
  return slot && slot->seq == seq && slot->ssrc == ssrc ? &slot : nullptr;
}

void PacketHistory::trim(TimeUs nowUs) {
  for (; oldest_ < end_; ++oldest_) {
    PacketRef& slot = slots_[index(oldest_)];
    if (slot && nowUs - slot->receivedAtUs <= kMaxAgeUs) break;
    slot = {};
  }
}

void PacketHistory::clear() {
  for (; oldest_ < end_; ++oldest_) slots_[index(oldest_)] = {};
}

}  // namespace sluice::forward
