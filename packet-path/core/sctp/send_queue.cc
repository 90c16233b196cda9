#include "send_queue.h"

#include <algorithm>
#include <cstring>

namespace sluice::sctp {
namespace {

/// Storage kept when nothing is queued or unacknowledged.
constexpr size_t kKeptSlots = 32;
/// Less than this of a message does not go into the rest of a packet: the chunk header would outweigh it.
constexpr size_t kMinFragmentBytes = 128;

}  // namespace

bool SendQueue::push(const Delivery& delivery, Bytes bytes, size_t reserve) {
  const size_t cost = bytes.size() + kMessageOverheadBytes;
  if (held_ > 0 && heldBytes_ + cost > limitBytes_ + reserve) return false;

  const MessageIndex index = newSlot();
  OutgoingMessage& message = messages_[index];
  message = {.delivery = delivery,
             .bytes = std::make_unique_for_overwrite<uint8_t[]>(bytes.size()),
             .size = static_cast<uint32_t>(bytes.size())};
  std::memcpy(message.bytes.get(), bytes.data(), bytes.size());
  heldBytes_ += cost;
  ++held_;

  Stream& stream = streams_[delivery.stream];
  if (stream.head == kNoMessage) {
    stream.head = index;
    stream.turn = std::max(stream.turn, turn_);
    active_.push_back(&stream);
  } else {
    messages_[stream.tail].next = index;
  }
  stream.tail = index;
  ++stream.held;
  stream.unsentBytes += bytes.size();
  unsentBytes_ += bytes.size();
  return true;
}

std::optional<Fragment> SendQueue::next(size_t room, size_t fullRoom, TimeUs nowUs, uint64_t& abandoned) {
  Stream* stream = pick();
  while (stream != nullptr && begun_ == nullptr && messages_[stream->head].delivery.expiresAtUs <= nowUs) {
    const MessageIndex expired = stream->head;
    unlinkHead(*stream);
    finish(expired);
    ++abandoned;
    stream = pick();
  }
  if (stream == nullptr) return std::nullopt;

  const OutgoingMessage& message = messages_[stream->head];
  Fragment fragment{.message = stream->head, .offset = message.cut, .begin = message.cut == 0};
  const size_t left = message.size - message.cut;
  if (left <= room) {
    fragment.length = static_cast<uint16_t>(left);
    fragment.end = true;
    return fragment;
  }
  const bool mustBeCut = message.cut > 0 || message.size > fullRoom;
  if (!mustBeCut || room < std::min(kMinFragmentBytes, fullRoom)) return std::nullopt;
  fragment.length = static_cast<uint16_t>(room & ~size_t{3});
  return fragment;
}

void SendQueue::take(const Fragment& fragment, Tsn tsn) {
  OutgoingMessage& message = messages_[fragment.message];
  Stream& stream = streams_.find(message.delivery.stream)->second;
  if (fragment.begin) {
    message.firstTsn = tsn;
    if (!message.delivery.unordered) message.ssn = stream.nextSsn++;
    turn_ = stream.turn;
    stream.turn += message.size + kMessageOverheadBytes;
    begun_ = &stream;
  }
  message.cut += fragment.length;
  stream.unsentBytes -= fragment.length;
  unsentBytes_ -= fragment.length;
  if (fragment.end) unlinkHead(stream);
}

bool SendQueue::abandon(MessageIndex index) {
  OutgoingMessage& message = messages_[index];
  message.abandoned = true;
  message.bytes.reset();
  heldBytes_ -= message.size;
  const bool endWasUnsent = message.cut < message.size;
  if (endWasUnsent) unlinkHead(streams_.find(message.delivery.stream)->second);
  return endWasUnsent;
}

void SendQueue::finish(MessageIndex index) {
  OutgoingMessage& message = messages_[index];
  heldBytes_ -= kMessageOverheadBytes + (message.abandoned ? 0 : message.size);
  --streams_.find(message.delivery.stream)->second.held;
  --held_;
  message = {};
  message.next = freeSlots_;
  freeSlots_ = index;
  if (held_ == 0 && messages_.capacity() > kKeptSlots) {
    messages_ = std::vector<OutgoingMessage>();
    freeSlots_ = kNoMessage;
  }
}

void SendQueue::dropUnsent(StreamId id) {
  const auto at = streams_.find(id);
  if (at == streams_.end() || at->second.head == kNoMessage) return;
  Stream& stream = at->second;
  MessageIndex kept = kNoMessage;
  if (begun_ == &stream) kept = stream.head;
  MessageIndex index = kept == kNoMessage ? stream.head : messages_[kept].next;
  while (index != kNoMessage) {
    const MessageIndex following = messages_[index].next;
    stream.unsentBytes -= messages_[index].size;
    unsentBytes_ -= messages_[index].size;
    finish(index);
    index = following;
  }
  stream.head = stream.tail = kept;
  if (kept != kNoMessage) {
    messages_[kept].next = kNoMessage;
  } else {
    std::erase(active_, &stream);
  }
}

void SendQueue::resetStream(StreamId id) {
  const auto at = streams_.find(id);
  if (at == streams_.end()) return;
  at->second.nextSsn = 0;
  if (at->second.held == 0) streams_.erase(at);
}

void SendQueue::restart() {
  if (begun_ != nullptr) unlinkHead(*begun_);
  for (MessageIndex i = 0; i < messages_.size(); ++i) {
    if (messages_[i].cut > 0) finish(i);
  }
  for (auto& [id, stream] : streams_) stream.nextSsn = 0;
}

size_t SendQueue::unsentBytes(StreamId id) const {
  const auto at = streams_.find(id);
  return at == streams_.end() ? 0 : at->second.unsentBytes;
}

bool SendQueue::isDrained(StreamId id) const {
  const auto at = streams_.find(id);
  return at == streams_.end() || at->second.held == 0;
}

MessageIndex SendQueue::newSlot() {
  if (freeSlots_ == kNoMessage) {
    messages_.emplace_back();
    return static_cast<MessageIndex>(messages_.size() - 1);
  }
  const MessageIndex index = freeSlots_;
  freeSlots_ = messages_[index].next;
  return index;
}

/// The stream that has had the least (the fair bandwidth scheduler of RFC 8260 §3.5), so that many small messages are
/// not held up by large ones of another channel.
SendQueue::Stream* SendQueue::pick() {
  if (begun_ != nullptr) return begun_;
  const auto least = std::min_element(active_.begin(), active_.end(),
                                      [](const Stream* a, const Stream* b) { return a->turn < b->turn; });
  return least == active_.end() ? nullptr : *least;
}

/// The head is wholly cut, expired or abandoned; what of it was never sent is not going to be.
void SendQueue::unlinkHead(Stream& stream) {
  OutgoingMessage& message = messages_[stream.head];
  const size_t unsent = message.size - message.cut;
  stream.unsentBytes -= unsent;
  unsentBytes_ -= unsent;
  message.cut = message.size;
  stream.head = message.next;
  if (begun_ == &stream) begun_ = nullptr;
  if (stream.head == kNoMessage) {
    stream.tail = kNoMessage;
    std::erase(active_, &stream);
  }
}

}  // namespace sluice::sctp
