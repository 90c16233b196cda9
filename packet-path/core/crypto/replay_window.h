// Which packet indices were received already: a sliding window (RFC 3711 §3.3.2, RFC 6347 §4.1.2.6).
#pragma once

#include "../wire/types.h"

namespace sluice::crypto {

/// The highest index so far and which of the 128 up to it were seen. The RFCs ask for at least 64; key frames arrive
/// as bursts of a hundred packets that networks reorder.
class ReplayWindow {
 public:
  static constexpr uint64_t kSize = 128;

  /// Not seen, and not so old that nobody knows.
  [[nodiscard]] bool isFresh(uint64_t index) const {
    if (index > highest_) return true;
    const uint64_t age = highest_ - index;
    if (age >= kSize) return false;
    return (((age < 64 ? recent_ : older_) >> (age & 63)) & 1) == 0;
  }

  /// `index` is fresh and its packet proved authentic.
  void note(uint64_t index) {
    if (index > highest_) advance(index - highest_);
    const uint64_t age = highest_ - index;
    (age < 64 ? recent_ : older_) |= uint64_t{1} << (age & 63);
  }

  [[nodiscard]] uint64_t highest() const { return highest_; }

 private:
  void advance(uint64_t step) {
    highest_ += step;
    if (step >= kSize) {
      recent_ = older_ = 0;
    } else if (step >= 64) {
      older_ = recent_ << (step - 64);
      recent_ = 0;
    } else {
      older_ = (older_ << step) | (recent_ >> (64 - step));
      recent_ <<= step;
    }
  }

  uint64_t highest_ = 0;
  uint64_t recent_ = 0;  // bit i: highest_ - i was seen
  uint64_t older_ = 0;   // bit i: highest_ - 64 - i was seen
};

}  // namespace sluice::crypto
