// Stream reconfiguration as data channels use it: each side resets its outgoing streams (RFC 6525, RFC 8831 §6.7).
#pragma once

#include <cstdint>
#include <vector>

#include "chunks.h"
#include "outbox.h"
#include "types.h"

namespace sluice::sctp {

class StreamReset {
 public:
  explicit StreamReset(Counters& counters) : counters_(counters) {}

  /// The association stands, or stands anew: requests are numbered from the initial TSNs (RFC 6525 §4.1).
  void begin(uint32_t localInitialTsn, uint32_t peerInitialTsn);

  /// Our outgoing stream is to start anew. Nothing of it is unacknowledged.
  void request(StreamId stream);

  [[nodiscard]] size_t waiting() const { return wanted_.size(); }

  /// What a RE-CONFIG brought about.
  struct Outcome {
    std::vector<StreamId> incoming;  ///< the peer starts these anew
    bool allIncoming = false;        ///< or all of its streams
    std::vector<StreamId> outgoing;  ///< ours whose request came to its end,
    bool performed = false;          ///< and whether they start anew; else they go on as they were
  };
  /// How far the peer's data has come.
  struct Arrived {
    uint32_t cumulativeTsn = 0;
    bool delivered = false;  ///< no whole message waits for a paused owner
  };
  /// Answers the peer's requests and takes its answers.
  [[nodiscard]] Outcome onReconfig(const ChunkView& chunk, const Arrived& arrived, TimeUs nowUs, Outbox& out);

  /// Sends what is requested, one request at a time (§5.1.1). `settledTsn` is what the peer has acknowledged: it goes
  /// out as the last TSN that we gave. Deliberately not the very last, which is of another stream: the peer would make
  /// us wait for that one too.
  void write(uint32_t settledTsn, TimeUs timeoutUs, TimeUs nowUs, Outbox& out);

  [[nodiscard]] TimeUs nextDeadline() const { return deadlineUs_; }
  /// Streams of a request that the peer did not answer are given back in `outgoing`.
  [[nodiscard]] Outcome onDeadline(TimeUs nowUs);

 private:
  /// RFC 6525 §4.4.
  enum class Result : uint32_t {
    kNothingToDo = 0,
    kPerformed = 1,
    kDenied = 2,
    kBadSequenceNumber = 5,
    kInProgress = 6,
  };

  void onOutgoingReset(Bytes value, const Arrived& arrived, Outcome& outcome, Outbox& out);
  void onOtherRequest(Bytes value, Result result, Outbox& out);
  void onResponse(Bytes value, TimeUs nowUs, Outcome& outcome);
  /// True when the request is to be looked at; otherwise it was answered.
  bool isNew(uint32_t sequence, Outbox& out);
  void answer(uint32_t sequence, Result result, Outbox& out);
  void respond(uint32_t sequence, Result result, Outbox& out);

  Counters& counters_;
  std::vector<StreamId> wanted_;
  std::vector<StreamId> asked_;  ///< in the request that is under way
  uint32_t sequence_ = 0;        ///< of that request, or of the next one
  uint32_t requestTsn_ = 0;
  uint32_t attempts_ = 0;
  bool sent_ = false;  ///< the request under way went out under its number
  bool sendDue_ = false;
  TimeUs timeoutUs_ = 0;
  TimeUs deadlineUs_ = kNever;

  uint32_t peerSequence_ = 0;  ///< last request of the peer's that was answered
  Result peerResult_ = Result::kNothingToDo;
};

}  // namespace sluice::sctp
