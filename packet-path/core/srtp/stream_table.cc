#include "stream_table.h"

#include <utility>

namespace sluice::srtp {

size_t StreamTable::slotOf(Ssrc ssrc) const {
  // SSRCs are random (RFC 3550 §8.1), but the peer chooses them: multiplied, so that equal low bits do not collide.
  size_t slot = static_cast<size_t>((ssrc * 0x9E37'79B9'7F4A'7C15ULL) >> 32) & (slots_.size() - 1);
  while (slots_[slot].used && slots_[slot].ssrc != ssrc) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

StreamTable::Stream* StreamTable::find(Ssrc ssrc) {
  if (slots_.empty()) return nullptr;
  Stream& stream = slots_[slotOf(ssrc)];
  return stream.used ? &stream : nullptr;
}

StreamTable::Stream* StreamTable::add(Ssrc ssrc) {
  if (size_ >= kMaxStreams) return nullptr;
  if (size_ * 2 >= slots_.size()) {  // at most half full: a search always ends
    std::vector<Stream> old = std::exchange(slots_, std::vector<Stream>(slots_.empty() ? 4 : slots_.size() * 2));
    for (const Stream& s : old) {
      if (s.used) slots_[slotOf(s.ssrc)] = s;
    }
  }
  Stream& stream = slots_[slotOf(ssrc)];
  stream.ssrc = ssrc;
  stream.used = true;
  ++size_;
  return &stream;
}

uint64_t estimateIndex(uint16_t seq, uint64_t highest) {
  const SeqNo guess = extendSeq(seq, static_cast<SeqNo>(highest));
  return guess < 0 ? static_cast<uint64_t>(guess + 0x1'0000) : static_cast<uint64_t>(guess);
}

}  // namespace sluice::srtp
