// Fragments to messages, messages to their order (RFC 9260 §6.5, §6.6, §6.9; RFC 3758 §3.6).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "chunks.h"
#include "ring.h"
#include "tsn.h"
#include "types.h"

namespace sluice::sctp {

/// A whole message, in its turn. `bytes` is the storage when it had to be kept.
struct ReadyMessage {
  StreamId stream = 0;
  uint32_t payloadProtocol = 0;
  std::vector<uint8_t> bytes;
};

class Reassembly {
 public:
  enum class Added : uint8_t {
    kStored,
    kDeliverNow,  ///< the chunk is a whole message and its turn: nothing was stored, deliver its payload
    kOrphan,      ///< a fragment whose beginning can no longer come
    kOutOfTurn,   ///< an ordered message whose number has passed
    kNoState,     ///< an ordered message on one stream too many
    kTooLong,     ///< more bytes than a message may have
  };

  Reassembly(uint32_t maxMessageBytes, uint16_t maxStreams)
      : maxMessageBytes_(maxMessageBytes), maxStreams_(maxStreams) {}

  /// `cumulative` is the cumulative TSN before this chunk. The chunk is no duplicate. With `hold`, nothing is
  /// kDeliverNow.
  Added add(const DataChunk& chunk, Tsn tsn, Tsn cumulative, bool hold);

  /// The peer gives up everything up to `cumulative`, and on these streams every message up to these numbers.
  void forwardTo(Tsn cumulative, const ForwardTsnChunk& chunk);

  /// The stream starts again at number zero (RFC 6525 §5.2.2).
  void resetStream(StreamId stream);
  void resetAllStreams();

  [[nodiscard]] bool hasReady() const { return !ready_.empty(); }
  ReadyMessage takeReady();

  /// Bytes held, with what holding them costs.
  [[nodiscard]] size_t heldBytes() const { return heldBytes_; }
  /// What a chunk adds to heldBytes at most.
  [[nodiscard]] static size_t cost(const DataChunk& chunk) { return chunk.payload.size() + kRunOverheadBytes; }

 private:
  /// Consecutive TSNs of one message that is not whole yet.
  struct Run {
    Tsn last = 0;
    Ssn ssn = 0;
    StreamId stream = 0;
    uint32_t payloadProtocol = 0;
    bool begin = false;
    bool end = false;
    bool unordered = false;
    std::vector<uint8_t> bytes;

    [[nodiscard]] bool whole() const { return begin && end; }
  };
  using Runs = std::map<Tsn, Run>;

  struct Stream {
    Ssn next = 0;
    std::map<Ssn, ReadyMessage> waiting;  ///< whole messages behind one that is missing
  };

  /// A map node, a Run, and the slack of its vector: measured with glibc on 64 bits, rounded up.
  static constexpr size_t kRunOverheadBytes = 160;

  Stream* stream(StreamId id);
  Runs::iterator store(const DataChunk& chunk, Tsn tsn, Tsn cumulative, Ssn ssn);
  Added complete(Runs::iterator run, Stream* ordered);
  void releaseInTurn(Stream& stream);
  void releaseSkipped(Stream& stream, Ssn upTo);
  Runs::iterator drop(Runs::iterator run);

  size_t maxMessageBytes_;
  size_t maxStreams_;
  Runs runs_;  ///< by first TSN
  std::map<StreamId, Stream> streams_;
  Ring<ReadyMessage> ready_;
  size_t heldBytes_ = 0;
};

}  // namespace sluice::sctp
