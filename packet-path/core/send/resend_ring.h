// Which numbers were sent, as what, and how often again: what a NACK is judged by. From which packet is for others to
// know.
#pragma once

#include <vector>

#include "../wire/types.h"
#include "header.h"

namespace sluice::send {

/// The last packets of one outgoing stream. 4 bytes a packet; 16 where packets are resent bit by bit the same, because
/// their Stamp is kept too.
class ResendRing {
 public:
  /// A second of video at 9 Mbit/s, and of audio; what the tracks' histories hold.
  static constexpr size_t kVideoPackets = 1'024;
  static constexpr size_t kAudioPackets = 128;
  /// libwebrtc's receivers ask ten times at most (nack_requester.cc).
  static constexpr uint8_t kMaxResends = 10;

  /// `keepStamps`: there is no retransmission stream, packets are resent as they were.
  ResendRing(size_t packets, bool keepStamps);

  /// What cannot be told again from the packet alone.
  struct Form {
    bool marker = false;
    bool empty = false;  ///< without its payload
  };
  void sent(SeqNo out, Form form, const Stamp& stamp);

  enum class Verdict : uint8_t {
    kResend,
    kUnsent,    ///< within the ring, but never sent
    kUnknown,   ///< outside of the ring: nothing is known of it
    kTooOften,  ///< as often as we resend, or just now
  };
  struct Answer {
    Verdict verdict = Verdict::kUnknown;
    SeqNo out = 0;
    Form form;
    Stamp stamp;
  };
  /// A receiver misses wire number `wire`. kResend counts as resent. A question that crosses the last answer, within
  /// half a round trip, is kTooOften.
  [[nodiscard]] Answer ask(uint16_t wire, TimeUs nowUs, TimeUs rttUs);
  /// The number that `wire` means, whether known or not.
  [[nodiscard]] SeqNo extend(uint16_t wire) const { return extendSeq(wire, highest_); }

 private:
  struct Entry {
    uint16_t resentAtMs = 0;
    uint8_t resends : 4 = 0;
    uint8_t used : 1 = 0;
    uint8_t marker : 1 = 0;
    uint8_t empty : 1 = 0;
  };
  static_assert(sizeof(Entry) == 4 && kMaxResends < 16);

  [[nodiscard]] size_t index(SeqNo out) const { return static_cast<uint64_t>(out) & (entries_.size() - 1); }

  std::vector<Entry> entries_;
  std::vector<Stamp> stamps_;  // empty unless kept
  SeqNo first_ = 0;
  SeqNo highest_ = -1;
};

}  // namespace sluice::send
