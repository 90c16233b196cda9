// Which sequence numbers of which SSRC were used under a session's keys. A number that is sealed twice with different
// contents gives the keys away (RFC 7714 §8.1), so streams that end leave behind where they ended.
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>

#include "../wire/types.h"

namespace sluice::send {

class NumberLedger {
 public:
  /// Ended streams remembered. A session that subscribes more often than this forgets the oldest; its spec's writer
  /// gives every subscription an SSRC of its own anyway.
  static constexpr size_t kMaxEnded = 4'096;

  /// Where the numbers of a stream start: at random in the lower half (RFC 3550 §5.1; the lower half, so that loss of
  /// the first packets leaves no doubt about the rollover counter, RFC 3711 §3.3.1), or behind those used before.
  /// Empty while another stream has this SSRC.
  [[nodiscard]] std::optional<SeqNo> begin(Ssrc ssrc, uint64_t random);
  /// The stream ended; `next` is the first number that it did not use.
  void end(Ssrc ssrc, SeqNo next);

 private:
  struct Entry {
    SeqNo next = 0;
    bool inUse = false;
  };
  std::unordered_map<Ssrc, Entry> entries_;
  std::deque<Ssrc> ended_;  // oldest first; one that began again may still be named
};

}  // namespace sluice::send
