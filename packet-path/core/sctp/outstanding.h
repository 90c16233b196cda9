// DATA chunks that were sent and that the peer has not acknowledged cumulatively: which of them are in flight, lost,
// acknowledged ahead of a gap, or given up (RFC 9260 §6.2.1, §7.2.4; RFC 3758 §3.5).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "chunks.h"
#include "ring.h"
#include "send_queue.h"
#include "tsn.h"

namespace sluice::sctp {

struct OutstandingChunk {
  enum class State : uint8_t { kInFlight, kLost, kAcknowledged, kAbandoned };

  Fragment fragment;
  State state = State::kInFlight;
  uint8_t misses = 0;
  bool fastRetransmitted = false;
  uint16_t retransmissions = 0;
  TimeUs sentAtUs = 0;

  /// What it counts for in windows: its bytes in the packet.
  [[nodiscard]] size_t bytes() const { return padded(kDataHeaderBytes + fragment.length); }
};

class Outstanding {
 public:
  explicit Outstanding(SendQueue& queue) : queue_(queue) {}

  /// The first chunk will have this TSN. Whatever was outstanding is forgotten.
  void begin(uint32_t initialTsn);

  [[nodiscard]] bool empty() const { return chunks_.empty(); }
  /// Everything up to here is acknowledged.
  [[nodiscard]] Tsn cumulative() const { return first_ - 1; }
  [[nodiscard]] Tsn nextTsn() const { return first_ + static_cast<Tsn>(chunks_.size()); }
  [[nodiscard]] size_t flightBytes() const { return flightBytes_; }
  [[nodiscard]] bool hasLost() const { return lost_ > 0; }

  /// Takes the fragment from the queue and puts it in flight. Returns its TSN.
  Tsn send(const Fragment& fragment, TimeUs nowUs);

  struct Acknowledged {
    bool advanced = false;  ///< the cumulative TSN did
    bool lost = false;      ///< chunks were found missing for the third time
    size_t bytes = 0;       ///< newly acknowledged
    /// When the newest of them was sent that was sent only once (Karn's rule, RFC 9260 §6.3.1 C5).
    std::optional<TimeUs> sentAtUs;
  };
  /// Acknowledges up to `cumulative`, which lies within cumulative() … nextTsn() - 1, and what the gap blocks say.
  Acknowledged acknowledge(Tsn cumulative, const SackChunk& sack, bool inFastRecovery);

  /// T3-rtx ran out: all that is in flight is lost.
  void loseAll();

  /// Gives up the messages of lost chunks that may not be sent again. Returns how many.
  size_t abandonHopeless(TimeUs nowUs);

  /// The first chunk waiting to be sent again.
  [[nodiscard]] const OutstandingChunk* firstLost();
  /// Sends that one again. Returns its TSN.
  Tsn resendFirstLost(TimeUs nowUs);

  struct Forward {
    /// Ordered streams that one FORWARD-TSN names; what needs more goes on with the next.
    static constexpr size_t kMaxStreams = 64;
    Tsn cumulative = 0;
    size_t streams = 0;
    std::array<ForwardTsnChunk::Skipped, kMaxStreams> skipped;  ///< the first `streams` of them
  };
  /// The peer waits for something that was given up.
  [[nodiscard]] bool hasForward() const {
    return !chunks_.empty() && chunks_.front().state == OutstandingChunk::State::kAbandoned;
  }
  /// How far it is to go on without that (RFC 3758 §3.5 C). With hasForward() only.
  [[nodiscard]] Forward forward() const;

 private:
  [[nodiscard]] OutstandingChunk& at(Tsn tsn) { return chunks_[static_cast<size_t>(tsn - first_)]; }
  void popFront(Acknowledged& result);
  void acknowledgeOne(OutstandingChunk& chunk, Acknowledged& result);
  void countMisses(Tsn upTo, Acknowledged& result);
  void leaveState(OutstandingChunk& chunk, OutstandingChunk::State state);
  void lose(Tsn tsn);
  void abandon(MessageIndex index);
  [[nodiscard]] bool isHopeless(const OutstandingChunk& chunk, TimeUs nowUs) const;

  SendQueue& queue_;
  Ring<OutstandingChunk> chunks_;
  Tsn first_ = 0;  ///< TSN of chunks_.front()
  size_t flightBytes_ = 0;
  size_t lost_ = 0;
  Tsn lostFrom_ = 0;  ///< no chunk before this one is lost
};

}  // namespace sluice::sctp
