#include "stream_reset.h"

#include <algorithm>
#include <utility>

namespace sluice::sctp {
namespace {

constexpr size_t kOutgoingResetFixedBytes = 12;
constexpr size_t kResponseBytes = 8;
/// Streams in one request; 512 bytes of it. More wait for the next one.
constexpr size_t kMaxStreamsPerRequest = 256;
/// RFC 6525 §3.1: a RE-CONFIG carries one or two.
constexpr size_t kMaxParameters = 2;
/// As often as a DATA chunk (RFC 9260 §16 Association.Max.Retrans).
constexpr uint32_t kMaxAttempts = 10;
constexpr TimeUs kMaxTimeoutUs = 3 * kSecondUs;

/// Serial arithmetic (RFC 9260 §1.6).
constexpr bool isBefore(uint32_t a, uint32_t b) {
  return static_cast<int32_t>(a - b) < 0;
}

}  // namespace

void StreamReset::begin(uint32_t localInitialTsn, uint32_t peerInitialTsn) {
  wanted_.clear();
  asked_.clear();
  sequence_ = localInitialTsn;
  attempts_ = 0;
  sent_ = sendDue_ = false;
  deadlineUs_ = kNever;
  peerSequence_ = peerInitialTsn - 1;
  peerResult_ = Result::kNothingToDo;
}

void StreamReset::request(StreamId stream) {
  if (std::find(wanted_.begin(), wanted_.end(), stream) == wanted_.end()) wanted_.push_back(stream);
}

StreamReset::Outcome StreamReset::onReconfig(const ChunkView& chunk, const Arrived& arrived, TimeUs nowUs,
                                             Outbox& out) {
  Outcome outcome;
  ParameterReader reader(chunk.value);
  for (size_t i = 0; i < kMaxParameters; ++i) {
    const auto parameter = reader.next();
    if (!parameter) break;
    switch (static_cast<ParameterType>(parameter->type)) {
      case ParameterType::kOutgoingReset:
        onOutgoingReset(parameter->value, arrived, outcome, out);
        break;
      case ParameterType::kReconfigResponse:
        onResponse(parameter->value, nowUs, outcome);
        break;
      case ParameterType::kAddOutgoingStreams:
        // We said that we take all there are, and keep state only of those that are used.
        onOtherRequest(parameter->value, Result::kPerformed, out);
        break;
      case ParameterType::kIncomingReset:
        // Deliberately no reset: a peer that closes a channel resets its own stream, and then we reset ours.
        onOtherRequest(parameter->value, Result::kNothingToDo, out);
        break;
      case ParameterType::kSsnTsnReset:
      case ParameterType::kAddIncomingStreams:
        onOtherRequest(parameter->value, Result::kDenied, out);
        break;
      default:
        ++counters_.droppedUnexpected;
        break;
    }
  }
  if (reader.malformed()) ++counters_.droppedMalformed;
  return outcome;
}

// RFC 6525 §5.2.2
void StreamReset::onOutgoingReset(Bytes value, const Arrived& arrived, Outcome& outcome, Outbox& out) {
  if (value.size() < kOutgoingResetFixedBytes) {
    ++counters_.droppedMalformed;
    return;
  }
  const uint32_t sequence = readU32(&value[0]);
  if (!isNew(sequence, out)) return;
  const uint32_t lastTsn = readU32(&value[8]);
  if (isBefore(arrived.cumulativeTsn, lastTsn) || !arrived.delivered) {
    answer(sequence, Result::kInProgress, out);  // E2: asked again, under this number or the next, it is looked at anew
    return;
  }
  const Bytes streams = value.subspan(kOutgoingResetFixedBytes);
  for (size_t i = 0; i + 2 <= streams.size(); i += 2) outcome.incoming.push_back(readU16(&streams[i]));
  outcome.allIncoming |= streams.size() < 2;  // §4.1: none named is all
  answer(sequence, Result::kPerformed, out);
}

void StreamReset::onOtherRequest(Bytes value, Result result, Outbox& out) {
  if (value.size() < 4) {
    ++counters_.droppedMalformed;
    return;
  }
  const uint32_t sequence = readU32(&value[0]);
  if (isNew(sequence, out)) answer(sequence, result, out);
}

// RFC 6525 §5.2.7
void StreamReset::onResponse(Bytes value, TimeUs nowUs, Outcome& outcome) {
  if (value.size() < kResponseBytes || !sent_ || readU32(&value[0]) != sequence_) {
    ++counters_.droppedUnexpected;
    return;
  }
  const auto result = static_cast<Result>(readU32(&value[4]));
  if (result == Result::kInProgress) {
    deadlineUs_ = nowUs + timeoutUs_;  // the answer may yet come by itself; else the same is asked again
    attempts_ = 0;
    return;
  }
  ++sequence_;
  sent_ = false;
  outcome.outgoing = std::exchange(asked_, {});
  outcome.performed = result == Result::kPerformed || result == Result::kNothingToDo;
  attempts_ = 0;
  deadlineUs_ = kNever;
}

bool StreamReset::isNew(uint32_t sequence, Outbox& out) {
  if (sequence == peerSequence_ + 1) return true;
  if (sequence != peerSequence_) {
    respond(sequence, Result::kBadSequenceNumber, out);
    return false;
  }
  if (peerResult_ == Result::kInProgress) return true;
  respond(sequence, peerResult_, out);  // our answer was lost
  return false;
}

void StreamReset::answer(uint32_t sequence, Result result, Outbox& out) {
  peerSequence_ = sequence;
  peerResult_ = result;
  respond(sequence, result, out);
}

void StreamReset::respond(uint32_t sequence, Result result, Outbox& out) {
  uint8_t* at = out.chunk(ChunkType::kReconfig, 0, kParameterHeaderBytes + kResponseBytes);
  at = writeParameterHeader(at, static_cast<uint16_t>(ParameterType::kReconfigResponse), kResponseBytes);
  writeU32(at, sequence);
  writeU32(at + 4, static_cast<uint32_t>(result));
}

void StreamReset::write(uint32_t settledTsn, TimeUs timeoutUs, TimeUs nowUs, Outbox& out) {
  if (asked_.empty() && !wanted_.empty()) {
    const auto count = static_cast<ptrdiff_t>(std::min(wanted_.size(), kMaxStreamsPerRequest));
    asked_.assign(wanted_.begin(), wanted_.begin() + count);
    wanted_.erase(wanted_.begin(), wanted_.begin() + count);
    sendDue_ = true;
  }
  if (!sendDue_) return;
  sendDue_ = false;
  if (!sent_) requestTsn_ = settledTsn;
  sent_ = true;
  timeoutUs_ = std::min(timeoutUs << std::min(attempts_, 3U), kMaxTimeoutUs);
  deadlineUs_ = nowUs + timeoutUs_;

  const size_t valueBytes = kOutgoingResetFixedBytes + 2 * asked_.size();
  uint8_t* at = out.chunk(ChunkType::kReconfig, 0, kParameterHeaderBytes + valueBytes);
  at = writeParameterHeader(at, static_cast<uint16_t>(ParameterType::kOutgoingReset), valueBytes);
  writeU32(at, sequence_);
  writeU32(at + 4, peerSequence_);  // means something only in answer to an incoming reset request
  writeU32(at + 8, requestTsn_);
  at += kOutgoingResetFixedBytes;
  for (const StreamId stream : asked_) {
    writeU16(at, stream);
    at += 2;
  }
}

StreamReset::Outcome StreamReset::onDeadline(TimeUs nowUs) {
  Outcome outcome;
  if (nowUs < deadlineUs_) return outcome;
  deadlineUs_ = kNever;
  if (++attempts_ < kMaxAttempts) {
    sendDue_ = true;
    return outcome;
  }
  outcome.outgoing = std::exchange(asked_, {});
  attempts_ = 0;
  if (std::exchange(sent_, false)) ++sequence_;
  return outcome;
}

}  // namespace sluice::sctp
