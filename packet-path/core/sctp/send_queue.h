// Messages on their way out: kept until acknowledged or given up, cut into fragments, taken from the streams in turn.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "tsn.h"
#include "types.h"

namespace sluice::sctp {

/// Names a message from push to finish.
using MessageIndex = uint32_t;
inline constexpr MessageIndex kNoMessage = UINT32_MAX;

/// How a message travels.
struct Delivery {
  StreamId stream = 0;
  uint32_t payloadProtocol = 0;
  bool unordered = false;
  uint32_t maxRetransmits = kNoLimit;  ///< of each of its chunks (RFC 7496 §3.2)
  TimeUs expiresAtUs = kNever;         ///< RFC 3758 §4.1

  static constexpr uint32_t kNoLimit = UINT32_MAX;
};

struct OutgoingMessage {
  Delivery delivery;
  std::unique_ptr<uint8_t[]> bytes;
  uint32_t size = 0;
  uint32_t cut = 0;  ///< bytes that are in fragments already
  Tsn firstTsn = 0;  ///< of its first fragment
  uint16_t ssn = 0;  ///< given with the first fragment
  bool abandoned = false;
  MessageIndex next = kNoMessage;  ///< the queue's own
};

/// A piece of a message that fits one DATA chunk.
struct Fragment {
  MessageIndex message = kNoMessage;
  uint32_t offset = 0;
  uint16_t length = 0;
  bool begin = false;
  bool end = false;
};

class SendQueue {
 public:
  explicit SendQueue(size_t limitBytes) : limitBytes_(limitBytes) {}

  /// False, and nothing taken, when the buffer is full. An empty buffer takes a message of any size; `reserve` is room
  /// beyond the limit for messages that channels cannot do without.
  [[nodiscard]] bool push(const Delivery& delivery, Bytes bytes, size_t reserve = 0);

  /// Something was never sent yet.
  [[nodiscard]] bool hasUnsent() const { return unsentBytes_ > 0; }

  /// How much of what is next fits `room` bytes of payload, when a whole packet has `fullRoom`. A message is cut only
  /// when it has to be; once begun it is finished before another begins (RFC 9260 §6.9). Messages that expired in the
  /// queue are dropped on the way; `abandoned` counts them.
  std::optional<Fragment> next(size_t room, size_t fullRoom, TimeUs nowUs, uint64_t& abandoned);
  /// The fragment goes out with this TSN.
  void take(const Fragment& fragment, Tsn tsn);

  [[nodiscard]] const OutgoingMessage& message(MessageIndex index) const { return messages_[index]; }

  /// Frees the bytes and skips what was not cut yet. True when the message's end was among that.
  bool abandon(MessageIndex index);
  /// Forgets the message: its last chunk is acknowledged or forwarded over, or nothing of it will be sent.
  void finish(MessageIndex index);

  /// Forgets messages of this stream of which nothing was sent.
  void dropUnsent(StreamId stream);
  /// The stream's next message has number zero again.
  void resetStream(StreamId stream);
  /// Forgets every message of which something was sent, and starts all streams anew.
  void restart();

  [[nodiscard]] size_t unsentBytes(StreamId stream) const;
  /// Nothing of this stream is queued or unacknowledged.
  [[nodiscard]] bool isDrained(StreamId stream) const;
  [[nodiscard]] bool isDrained() const { return held_ == 0; }
  [[nodiscard]] size_t heldBytes() const { return heldBytes_; }

 private:
  struct Stream {
    MessageIndex head = kNoMessage;  ///< first not wholly cut
    MessageIndex tail = kNoMessage;
    uint16_t nextSsn = 0;
    uint32_t held = 0;  ///< messages not finished
    size_t unsentBytes = 0;
    /// Bytes the stream has had, brought forward to those of the others when it comes out of idleness.
    uint64_t turn = 0;
  };
  using Streams = std::map<StreamId, Stream>;

  /// OutgoingMessage, its allocation's header and rounding, and its place among the outstanding chunks; rounded up.
  static constexpr size_t kMessageOverheadBytes = 160;

  MessageIndex newSlot();
  Stream* pick();
  void unlinkHead(Stream& stream);

  size_t limitBytes_;
  size_t heldBytes_ = 0;
  size_t held_ = 0;
  size_t unsentBytes_ = 0;
  std::vector<OutgoingMessage> messages_;
  MessageIndex freeSlots_ = kNoMessage;
  Streams streams_;
  std::vector<Stream*> active_;  ///< those with something unsent
  Stream* begun_ = nullptr;      ///< the one whose head is partly cut
  uint64_t turn_ = 0;
};

}  // namespace sluice::sctp
