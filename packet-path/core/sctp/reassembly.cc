#include "reassembly.h"

#include <algorithm>
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
      releaseInTurn(chunk.stream, *ordered, runs_.begin());
    }
    return Added::kDeliverNow;
  }

  const auto run = store(chunk, tsn, cumulative, ssn);
  if (run == runs_.end()) return Added::kOrphan;
  if (run->second.bytes.size() > maxMessageBytes_) return Added::kTooLong;
  return run->second.whole() ? completed(run, ordered) : Added::kStored;
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

Reassembly::Added Reassembly::completed(Runs::iterator run, Stream* ordered) {
  if (ordered == nullptr) {
    makeReady(std::move(run->second));
    runs_.erase(run);
    return Added::kStored;
  }
  if (run->second.ssn < ordered->next) {
    drop(run);
    return Added::kOutOfTurn;
  }
  ++ordered->waiting;
  if (run->second.ssn == ordered->next) releaseInTurn(run->second.stream, *ordered, run);
  return Added::kStored;
}

/// Makes ready what follows without a gap. A sender numbers a stream's messages in the order of their TSNs, so one walk
/// finds them all.
void Reassembly::releaseInTurn(StreamId id, Stream& stream, Runs::iterator from) {
  for (auto at = from; at != runs_.end() && stream.waiting > 0;) {
    Run& run = at->second;
    if (run.unordered || run.stream != id) {
      ++at;
      continue;
    }
    if (!run.whole() || run.ssn != stream.next) return;
    ++stream.next;
    --stream.waiting;
    makeReady(std::move(run));
    at = runs_.erase(at);
  }
}

void Reassembly::releaseSkipped(StreamId id, Stream& stream, Ssn upTo) {
  if (upTo < stream.next) return;
  for (auto at = runs_.begin(); at != runs_.end() && stream.waiting > 0;) {
    Run& run = at->second;
    if (run.unordered || run.stream != id || !run.whole() || run.ssn > upTo) {
      ++at;
      continue;
    }
    --stream.waiting;
    makeReady(std::move(run));
    at = runs_.erase(at);
  }
  stream.next = upTo + 1;
  releaseInTurn(id, stream, runs_.begin());
}

void Reassembly::forwardTo(Tsn cumulative, const ForwardTsnChunk& chunk) {
  for (auto at = runs_.begin(); at != runs_.end() && at->first <= cumulative + 1;) {
    const bool beginsBefore = at->first <= cumulative;
    const bool hopeless = beginsBefore ? !at->second.whole() : !at->second.begin;
    at = hopeless ? drop(at) : std::next(at);
  }
  for (size_t i = 0; i < chunk.streams; ++i) {
    const auto [id, wire] = chunk.skipped(i);
    Stream* skipped = stream(id);
    if (skipped != nullptr) releaseSkipped(id, *skipped, extendSsn(wire, skipped->next));
  }
}

void Reassembly::resetStream(StreamId id) {
  for (auto at = runs_.begin(); at != runs_.end();) {
    const bool hit = !at->second.unordered && at->second.stream == id;
    at = hit ? drop(at) : std::next(at);
  }
  streams_.erase(id);
}

void Reassembly::resetAllStreams() {
  while (!streams_.empty()) resetStream(streams_.begin()->first);
}

ReadyMessage Reassembly::takeReady() {
  ReadyMessage message = ready_.pop();
  heldBytes_ -= kRunOverheadBytes + message.bytes.size();
  return message;
}

/// What the run held stays held until it is taken.
void Reassembly::makeReady(Run&& run) {
  ready_.push({.stream = run.stream, .payloadProtocol = run.payloadProtocol, .bytes = std::move(run.bytes)});
}

Reassembly::Runs::iterator Reassembly::drop(Runs::iterator run) {
  heldBytes_ -= kRunOverheadBytes + run->second.bytes.size();
  return runs_.erase(run);
}

}  // namespace sluice::sctp
