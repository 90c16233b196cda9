#include "local_ends.h"

namespace sluice::io {

uint8_t LocalEnds::find(const LocalEnd& end, size_t count) const {
  for (size_t i = 1; i < count; ++i) {
    if (ends_[i] == end) return static_cast<uint8_t>(i);
  }
  return kAny;
}

uint8_t LocalEnds::number(const LocalEnd& end) {
  const uint8_t known = find(end, count_.load(std::memory_order_acquire));
  if (known != kAny) return known;
  const std::lock_guard lock(adding_);
  const size_t count = count_.load(std::memory_order_relaxed);
  const uint8_t addedMeanwhile = find(end, count);
  if (addedMeanwhile != kAny || count == ends_.size()) return addedMeanwhile;
  ends_[count] = end;
  count_.store(count + 1, std::memory_order_release);
  return static_cast<uint8_t>(count);
}

const LocalEnd* LocalEnds::at(uint8_t via) const {
  return via != kAny && via < count_.load(std::memory_order_acquire) ? &ends_[via] : nullptr;
}

}  // namespace sluice::io
