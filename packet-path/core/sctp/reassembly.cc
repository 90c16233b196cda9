#include "reassembly.h"

#include <iterator>
#include <utility>

namespace sluice::sctp {

Reassembly::Added Reassembly::add(const DataChunk& chunk, Tsn tsn, Tsn cumulative, bool hold) {
  if (chunk.payload.size() > maxMessageBytes_) return Added::kTooLong;
  Stream* ordered = nullptr;
  Ssn ssn = 0;
  if (!chunk.unordered) {
    ordered = stream(chunk.stream);
    if (ordered == nullptr) return Added::kNoState;
    ssn = extendSsn(chunk.ssn, ordered->next);
    if (ssn < ordered->next) return Added::kOutOfTurn;
  }

  const bool inTurn = chunk.unordered || ssn == ordered->next;
  if (chunk.begin && chunk.end && inTurn && !hold) {
    if (ordered != nullptr) {
      ++ordered->next;
      releaseInTurn(*ordered);
    }
    return Added::kDeliverNow;
  }

  const auto run = store(chunk, tsn, cumulative, ssn);
  if (run == runs_.end()) return Added::kOrphan;
  if (run->second.bytes.size() > maxMessageBytes_) return Added::kTooLong;
  return run->second.whole() ? complete(run, ordered) : Added::kStored;
}

Reassembly::Stream* Reassembly::stream(StreamId id) {
  const auto at = streams_.find(id);
  if (at != streams_.end()) return &at->second;
  if (streams_.size() >= maxStreams_) return nullptr;
  return &streams_[id];
}

/// Joins the chunk with the runs it touches. The end of `runs_` when it is an orphan.
Reassembly::Runs::iterator Reassembly::store(const DataChunk& chunk, Tsn tsn, Tsn cumulative, Ssn ssn) {
  const auto sameMessage = [&](const Run& run) {
    return run.stream == chunk.stream && run.unordered == chunk.unordered && run.ssn == ssn;
  };
  auto after = runs_.upper_bound(tsn);
  const bool joinsAfter = after != runs_.end() && after->first == tsn + 1 && !after->second.begin && !chunk.end &&
                          sameMessage(after->second);
  auto run = after == runs_.begin() ? runs_.end() : std::prev(after);
  const bool joinsBefore =
      run != runs_.end() && run->second.last == tsn - 1 && !run->second.end && !chunk.begin && sameMessage(run->second);

  if (!joinsBefore && !chunk.begin && tsn - 1 <= cumulative) {
    if (joinsAfter) drop(after);
    return runs_.end();
  }
  if (!joinsBefore) {
    run = runs_.emplace_hint(after, tsn, Run{});
    run->second.ssn = ssn;
    run->second.stream = chunk.stream;
    run->second.unordered = chunk.unordered;
    run->second.begin = chunk.begin;
    heldBytes_ += kRunOverheadBytes;
  }
  Run& joined = run->second;
  if (chunk.begin) joined.payloadProtocol = chunk.payloadProtocol;
  joined.last = tsn;
  joined.end = chunk.end;
  joined.bytes.insert(joined.bytes.end(), chunk.payload.begin(), chunk.payload.end());
  heldBytes_ += chunk.payload.size();

  if (joinsAfter) {
    const Run& tail = after->second;
    joined.last = tail.last;
    joined.end = tail.end;
    joined.bytes.insert(joined.bytes.end(), tail.bytes.begin(), tail.bytes.end());
    heldBytes_ += tail.bytes.size();
    drop(after);
  }
  return run;
}

/// The message is whole: its turn may have come, or it waits for others of its stream. What it held stays held.
Reassembly::Added Reassembly::complete(Runs::iterator run, Stream* ordered) {
  if (ordered != nullptr && (run->second.ssn < ordered->next || ordered->waiting.contains(run->second.ssn))) {
    drop(run);
    return Added::kOutOfTurn;
  }
  ReadyMessage message{.stream = run->second.stream,
                       .payloadProtocol = run->second.payloadProtocol,
                       .bytes = std::move(run->second.bytes)};
  const Ssn ssn = run->second.ssn;
  runs_.erase(run);
  if (ordered == nullptr) {
    ready_.push(std::move(message));
  } else {
    ordered->waiting.emplace(ssn, std::move(message));
    releaseInTurn(*ordered);
  }
  return Added::kStored;
}

void Reassembly::releaseInTurn(Stream& stream) {
  for (auto at = stream.waiting.begin(); at != stream.waiting.end() && at->first == stream.next;) {
    ++stream.next;
    ready_.push(std::move(at->second));
    at = stream.waiting.erase(at);
  }
}

void Reassembly::releaseSkipped(Stream& stream, Ssn upTo) {
  if (upTo < stream.next) return;
  for (auto at = stream.waiting.begin(); at != stream.waiting.end() && at->first <= upTo;) {
    ready_.push(std::move(at->second));
    at = stream.waiting.erase(at);
  }
  stream.next = upTo + 1;
  releaseInTurn(stream);
}

void Reassembly::forwardTo(Tsn cumulative, const ForwardTsnChunk& chunk) {
  for (auto at = runs_.begin(); at != runs_.end() && at->first <= cumulative + 1;) {
    const bool hopeless = at->first <= cumulative || !at->second.begin;
    at = hopeless ? drop(at) : std::next(at);
  }
  for (size_t i = 0; i < chunk.streams; ++i) {
    const auto [id, wire] = chunk.skipped(i);
    Stream* skipped = stream(id);
    if (skipped != nullptr) releaseSkipped(*skipped, extendSsn(wire, skipped->next));
  }
}

void Reassembly::resetStream(StreamId id) {
  for (auto at = runs_.begin(); at != runs_.end();) {
    const bool hit = !at->second.unordered && at->second.stream == id;
    at = hit ? drop(at) : std::next(at);
  }
  const auto at = streams_.find(id);
  if (at == streams_.end()) return;
  for (const auto& [ssn, message] : at->second.waiting) heldBytes_ -= kRunOverheadBytes + message.bytes.size();
  streams_.erase(at);
}

void Reassembly::resetAllStreams() {
  while (!streams_.empty()) resetStream(streams_.begin()->first);
}

ReadyMessage Reassembly::takeReady() {
  ReadyMessage message = ready_.pop();
  heldBytes_ -= kRunOverheadBytes + message.bytes.size();
  return message;
}

Reassembly::Runs::iterator Reassembly::drop(Runs::iterator run) {
  heldBytes_ -= kRunOverheadBytes + run->second.bytes.size();
  return runs_.erase(run);
}

}  // namespace sluice::sctp
