// Per-SSRC state of what was received: rollover counter and replay window (RFC 3711 §3.3.1, §3.3.2).
#pragma once

#include <vector>

#include "../crypto/replay_window.h"
#include "../wire/types.h"

namespace sluice::srtp {

/// Open addressing by SSRC. Grows by doubling; entries are never removed, so that no packet is accepted twice.
class StreamTable {
 public:
  /// An authentic peer alone can fill this: 64 KiB. A session that publishes anew 300 times, seven streams each, fits.
  static constexpr size_t kMaxStreams = 2'048;

  struct Stream {
    Ssrc ssrc = 0;
    bool used = false;
    crypto::ReplayWindow window;
  };

  [[nodiscard]] Stream* find(Ssrc ssrc);
  /// Null when the table is full. `ssrc` is not in it.
  [[nodiscard]] Stream* add(Ssrc ssrc);
  [[nodiscard]] size_t size() const { return size_; }

 private:
  [[nodiscard]] size_t slotOf(Ssrc ssrc) const;
  std::vector<Stream> slots_;
  size_t size_ = 0;
};

/// The 48-bit packet index that a sequence number most likely means (RFC 3711 §3.3.1 and appendix A), given the
/// highest index so far. Never negative: before the first rollover, low numbers cannot come from an earlier one.
[[nodiscard]] uint64_t estimateIndex(uint16_t seq, uint64_t highest);

}  // namespace sluice::srtp
