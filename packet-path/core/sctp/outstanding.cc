#include "outstanding.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

using State = OutstandingChunk::State;

/// RFC 9260 §7.2.4: the third report makes a chunk lost.
constexpr uint8_t kMissesToLose = 3;

}  // namespace

void Outstanding::begin(uint32_t initialTsn) {
  chunks_.clear();
  first_ = lostFrom_ = initialTsn;
  flightBytes_ = lost_ = 0;
}

Tsn Outstanding::send(const Fragment& fragment, TimeUs nowUs) {
  const Tsn tsn = nextTsn();
  queue_.take(fragment, tsn);
  chunks_.push({.fragment = fragment, .sentAtUs = nowUs});
  flightBytes_ += at(tsn).bytes();
  return tsn;
}

Outstanding::Acknowledged Outstanding::acknowledge(Tsn cumulative, const SackChunk& sack, bool inFastRecovery) {
  Acknowledged result;
  result.advanced = cumulative >= first_;
  while (first_ <= cumulative) popFront(result);

  Tsn highestNew = cumulative;
  Tsn highestReported = cumulative;
  Tsn from = first_;  // blocks come in ascending order; one that goes back is not walked again
  for (size_t i = 0; i < sack.gaps; ++i) {
    const auto [first, last] = sack.gap(i);
    const Tsn end = std::min(cumulative + last, nextTsn() - 1);
    for (Tsn tsn = std::max(cumulative + first, from); tsn <= end; from = ++tsn) {
      highestReported = std::max(highestReported, tsn);
      OutstandingChunk& chunk = at(tsn);
      if (chunk.state != State::kInFlight && chunk.state != State::kLost) continue;
      acknowledgeOne(chunk, result);
      highestNew = std::max(highestNew, tsn);
    }
  }
  // §7.2.4: only what was sent before something newly acknowledged counts as missing, unless a fast recovery goes on
  // and makes progress.
  countMisses(inFastRecovery && result.advanced ? highestReported : highestNew, result);
  return result;
}

void Outstanding::popFront(Acknowledged& result) {
  OutstandingChunk& chunk = chunks_.front();
  if (chunk.state == State::kInFlight || chunk.state == State::kLost) acknowledgeOne(chunk, result);
  if (chunk.fragment.end) queue_.finish(chunk.fragment.message);
  chunks_.pop();
  ++first_;
}

void Outstanding::acknowledgeOne(OutstandingChunk& chunk, Acknowledged& result) {
  result.bytes += chunk.bytes();
  if (chunk.retransmissions == 0) result.sentAtUs = chunk.sentAtUs;
  leaveState(chunk, State::kAcknowledged);
}

void Outstanding::countMisses(Tsn upTo, Acknowledged& result) {
  for (Tsn tsn = first_; tsn < upTo; ++tsn) {
    OutstandingChunk& chunk = at(tsn);
    if (chunk.state != State::kInFlight || chunk.fastRetransmitted) continue;
    if (++chunk.misses < kMissesToLose) continue;
    chunk.fastRetransmitted = true;  // once; the next time it is the timer's
    lose(tsn);
    result.lost = true;
  }
}

void Outstanding::loseAll() {
  bool any = false;
  for (Tsn tsn = first_; tsn < nextTsn(); ++tsn) {
    const State state = at(tsn).state;
    if (state == State::kInFlight) lose(tsn);
    any |= state == State::kInFlight || state == State::kLost;
  }
  if (any) return;
  // All is acknowledged ahead of a gap that is none of ours: the peer threw away what it had reported (§6.2.1 D iv).
  for (Tsn tsn = first_; tsn < nextTsn(); ++tsn) {
    if (at(tsn).state == State::kAcknowledged) lose(tsn);
  }
}

size_t Outstanding::abandonHopeless(TimeUs nowUs) {
  size_t messages = 0;
  const Tsn end = nextTsn();
  for (Tsn tsn = std::max(lostFrom_, first_); lost_ > 0 && tsn < end; ++tsn) {
    const OutstandingChunk& chunk = at(tsn);
    if (chunk.state != State::kLost || !isHopeless(chunk, nowUs)) continue;
    abandon(chunk.fragment.message);
    ++messages;
  }
  return messages;
}

bool Outstanding::isHopeless(const OutstandingChunk& chunk, TimeUs nowUs) const {
  const Delivery& delivery = queue_.message(chunk.fragment.message).delivery;
  return chunk.retransmissions >= delivery.maxRetransmits || delivery.expiresAtUs <= nowUs;
}

const OutstandingChunk* Outstanding::firstLost() {
  if (lost_ == 0) return nullptr;
  lostFrom_ = std::max(lostFrom_, first_);
  while (at(lostFrom_).state != State::kLost) ++lostFrom_;
  return &at(lostFrom_);
}

Tsn Outstanding::resendFirstLost(TimeUs nowUs) {
  OutstandingChunk& chunk = at(lostFrom_);
  leaveState(chunk, State::kInFlight);
  flightBytes_ += chunk.bytes();
  chunk.misses = 0;
  chunk.sentAtUs = nowUs;
  if (chunk.retransmissions < UINT16_MAX) ++chunk.retransmissions;
  return lostFrom_;
}

Outstanding::Forward Outstanding::forward() const {
  Forward forward;
  for (size_t i = 0; i < chunks_.size() && chunks_[i].state == State::kAbandoned; ++i) {
    const OutgoingMessage& message = queue_.message(chunks_[i].fragment.message);
    if (!message.delivery.unordered) {
      // In the order of TSNs, so that the last one of a stream is its highest.
      auto* const end = forward.skipped.begin() + forward.streams;
      auto* const known = std::find_if(forward.skipped.begin(), end, [&](const ForwardTsnChunk::Skipped& s) {
        return s.stream == message.delivery.stream;
      });
      if (known == end && forward.streams == Forward::kMaxStreams) break;
      if (known == end) ++forward.streams;
      *known = {.stream = message.delivery.stream, .ssn = message.ssn};
    }
    forward.cumulative = first_ + static_cast<Tsn>(i);
  }
  return forward;
}

/// Gives up every chunk of the message, also those that arrived: the peer is to forget the whole of it. When its end
/// was not sent yet, a chunk that never will be stands for it, so that the peer, told to go on behind that one, cannot
/// take the next message for the end of this one.
void Outstanding::abandon(MessageIndex index) {
  const Tsn firstTsn = queue_.message(index).firstTsn;
  if (queue_.abandon(index)) {
    chunks_.push({.fragment = {.message = index, .end = true}, .state = State::kAbandoned});
  }
  for (Tsn tsn = std::max(firstTsn, first_); tsn < nextTsn(); ++tsn) {
    OutstandingChunk& chunk = at(tsn);
    if (chunk.fragment.message != index) break;
    leaveState(chunk, State::kAbandoned);
  }
}

void Outstanding::leaveState(OutstandingChunk& chunk, State state) {
  if (chunk.state == State::kInFlight) flightBytes_ -= chunk.bytes();
  if (chunk.state == State::kLost) --lost_;
  chunk.state = state;
}

void Outstanding::lose(Tsn tsn) {
  leaveState(at(tsn), State::kLost);
  ++lost_;
  lostFrom_ = lost_ == 1 ? tsn : std::min(lostFrom_, tsn);
}

}  // namespace sluice::sctp
