#include "association.h"

#include <algorithm>

namespace sluice::sctp {
namespace {

/// Room for every chunk that is written in one piece, of which a request to reset 256 streams is the longest.
constexpr uint16_t kMinPacketBytes = 576;
/// How much of a chunk we do not know is shown to its sender.
constexpr size_t kReportedChunkBytes = 64;

AssociationConfig sound(AssociationConfig config) {
  config.maxPacketBytes = std::clamp<uint16_t>(config.maxPacketBytes, kMinPacketBytes, Outbox::kMaxPacketBytes);
  return config;
}

}  // namespace

/// One outermost call: its time, its sink, and the packet it puts together.
struct Association::Turn {
  Turn(Association& owner, TimeUs now, Sink& to)
      : association(owner), nowUs(now), sink(to), out(owner.config_, owner.handshake_.peer().tag, to, owner.counters_) {
    association.inTurn_ = true;
  }
  ~Turn() { association.inTurn_ = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Association& association;
  const TimeUs nowUs;
  Sink& sink;
  Outbox out;
};

Association::Association(const AssociationConfig& config, const Seed& seed)
    : config_(sound(config)),
      handshake_(config_, seed),
      sender_(config_, counters_),
      receiver_(config_, counters_),
      reset_(counters_),
      channels_(config_, counters_, sender_, reset_) {}

void Association::start(TimeUs nowUs, Sink& sink) {
  if (over_ || inTurn_) return;
  Turn turn(*this, nowUs, sink);
  handshake_.start(nowUs, turn.out);
  finish(turn);
}

void Association::receive(Bytes packet, TimeUs nowUs, Sink& sink) {
  if (inTurn_) return;
  const auto view = parsePacket(packet);
  if (!view || view->sourcePort != config_.remotePort || view->destinationPort != config_.localPort) {
    ++counters_.droppedMalformed;
    return;
  }
  ++counters_.packetsReceived;
  Turn turn(*this, nowUs, sink);
  if (over_) return answerOutOfTheBlue(*view, turn);
  ChunkReader reader(view->chunks);
  while (!over_ && !abortWanted_) {
    const auto chunk = reader.next();
    if (!chunk) break;
    if (!isCurrent(*chunk, view->tag)) {
      ++counters_.droppedTag;
      break;
    }
    if (chunk->type == ChunkType::kInit && !reader.atEnd()) {
      ++counters_.droppedMalformed;  // INIT comes alone (RFC 9260 §6.10)
      break;
    }
    onChunk(*chunk, view->tag, turn);
    if (isUnknown(chunk->type) && !unknownChunkRule(chunk->type).goOn) break;
  }
  if (reader.malformed()) ++counters_.droppedMalformed;
  receiver_.onPacketEnd(nowUs);
  finish(turn);
}

SendResult Association::send(const Message& message, TimeUs nowUs, Sink& sink) {
  if (over_ || abortWanted_ || teardown_.begun()) return SendResult::kNoSuchChannel;
  const SendResult result = channels_.send(message, nowUs);
  if (result == SendResult::kOk) settle(nowUs, sink);
  return result;
}

std::optional<StreamId> Association::open(const ChannelSpec& spec, TimeUs nowUs, Sink& sink) {
  if (over_ || abortWanted_ || teardown_.begun()) return std::nullopt;
  const auto stream = channels_.open(spec, sink);
  settle(nowUs, sink);
  return stream;
}

void Association::close(StreamId stream, TimeUs nowUs, Sink& sink) {
  if (over_) return;
  channels_.close(stream, sink);
  settle(nowUs, sink);
}

void Association::pauseReceiving(bool paused, TimeUs nowUs, Sink& sink) {
  receiver_.pause(paused);
  settle(nowUs, sink);
}

void Association::shutdown(TimeUs nowUs, Sink& sink) {
  if (over_) return;
  teardown_.begin();
  settle(nowUs, sink);
}

void Association::abort(TimeUs nowUs, Sink& sink) {
  if (over_) return;
  abortWanted_ = true;
  settle(nowUs, sink);
}

bool Association::isEstablished() const {
  return !over_ && handshake_.state() == Handshake::State::kEstablished;
}

TimeUs Association::nextDeadline() const {
  if (over_) return kNever;
  return std::min({handshake_.nextDeadline(), sender_.nextDeadline(), receiver_.nextDeadline(), reset_.nextDeadline(),
                   teardown_.nextDeadline()});
}

void Association::onDeadline(TimeUs nowUs, Sink& sink) {
  if (over_ || inTurn_) return;
  Turn turn(*this, nowUs, sink);
  onHandshake(handshake_.onDeadline(nowUs, turn.out), turn);
  onTeardown(teardown_.onDeadline(nowUs), turn);
  receiver_.onDeadline(nowUs);
  const StreamReset::Outcome reset = reset_.onDeadline(nowUs);
  if (!over_) onReset(reset, turn);
  const bool responsive = over_ || sender_.onDeadline(nowUs);
  if (!responsive) abortWith(ErrorCause::kUserInitiatedAbort, CloseReason::kUnresponsive, turn);
  finish(turn);
}

/// The association is over, and the peer does not know yet: what told it was lost (RFC 9260 §8.4).
void Association::answerOutOfTheBlue(const PacketView& view, Turn& turn) {
  ++counters_.droppedUnexpected;
  const auto chunk = ChunkReader(view.chunks).next();
  if (!chunk) return;
  switch (chunk->type) {
    case ChunkType::kInit:
    case ChunkType::kAbort:
    case ChunkType::kError:
    case ChunkType::kCookieAck:
    case ChunkType::kShutdownComplete:
      return;
    default:
      break;
  }
  const bool wantsToEnd = chunk->type == ChunkType::kShutdownAck;
  turn.out.setTag(view.tag);
  turn.out.chunk(wantsToEnd ? ChunkType::kShutdownComplete : ChunkType::kAbort, kFlagTagReflected, 0);
  turn.out.flush();
}

/// Whether the chunk belongs to this association, by its packet's tag (RFC 9260 §8.5).
bool Association::isCurrent(const ChunkView& chunk, uint32_t tag) const {
  switch (chunk.type) {
    case ChunkType::kInit:
      return tag == 0;
    case ChunkType::kCookieEcho:
      return true;  // the cookie says which tag it goes with
    case ChunkType::kAbort:
    case ChunkType::kShutdownComplete: {
      const bool reflected = (chunk.flags & kFlagTagReflected) != 0;
      const uint32_t expected = reflected ? handshake_.peer().tag : handshake_.local().tag;
      return tag == expected && tag != 0;
    }
    default:
      return tag == handshake_.local().tag;
  }
}

void Association::onChunk(const ChunkView& chunk, uint32_t tag, Turn& turn) {
  switch (chunk.type) {
    case ChunkType::kInit:
      if (!teardown_.acknowledging()) return onHandshake(handshake_.onInit(chunk, turn.nowUs, turn.out), turn);
      turn.out.chunk(ChunkType::kShutdownAck, 0, 0);  // §9.2
      return;
    case ChunkType::kInitAck:
      return onHandshake(handshake_.onInitAck(chunk, turn.nowUs, turn.out), turn);
    case ChunkType::kCookieEcho:
      return onHandshake(handshake_.onCookieEcho(chunk, tag, turn.nowUs, turn.out), turn);
    case ChunkType::kCookieAck:
      return onHandshake(handshake_.onCookieAck(), turn);
    case ChunkType::kError:
      return onError(chunk, turn);
    case ChunkType::kAbort:
      return end(CloseReason::kAbortedByPeer, turn);
    default:
      break;
  }
  if (isUnknown(chunk.type)) return onUnknownChunk(chunk, turn);
  if (handshake_.state() == Handshake::State::kEstablished) return onEstablishedChunk(chunk, turn);
  ++counters_.droppedUnexpected;
}

void Association::onEstablishedChunk(const ChunkView& chunk, Turn& turn) {
  switch (chunk.type) {
    case ChunkType::kData:
      return onData(chunk, turn);
    case ChunkType::kSack:
      return onSack(chunk, turn);
    case ChunkType::kHeartbeat:
      return onHeartbeat(chunk, turn);
    case ChunkType::kForwardTsn:
      if (const auto forward = parseForwardTsn(chunk)) {
        receiver_.onForwardTsn(*forward);
        return deliverReady(turn);
      }
      break;
    case ChunkType::kReconfig:
      return onReset(reset_.onReconfig(chunk,
                                       {.cumulativeTsn = static_cast<uint32_t>(receiver_.cumulative()),
                                        .delivered = receiver_.allDelivered()},
                                       turn.nowUs, turn.out),
                     turn);
    case ChunkType::kShutdown:
      return onShutdown(chunk, turn);
    case ChunkType::kShutdownAck:
      return onTeardown(teardown_.onShutdownAck(turn.out), turn);
    case ChunkType::kShutdownComplete:
      return onTeardown(teardown_.onShutdownComplete(), turn);
    default:
      break;  // HEARTBEAT ACK: we send no HEARTBEAT, consent (RFC 7675) watches the path
  }
  ++counters_.droppedUnexpected;
}

void Association::onUnknownChunk(const ChunkView& chunk, Turn& turn) {
  ++counters_.droppedUnknownChunk;
  if (!unknownChunkRule(chunk.type).report || !isEstablished()) return;
  const Bytes shown = chunk.whole.first(std::min(chunk.whole.size(), kReportedChunkBytes));
  uint8_t* at = turn.out.chunk(ChunkType::kError, 0, kParameterHeaderBytes + shown.size());
  at = writeParameterHeader(at, static_cast<uint16_t>(ErrorCause::kUnrecognizedChunk), shown.size());
  std::copy(shown.begin(), shown.end(), at);
}

void Association::onHandshake(Handshake::Outcome outcome, Turn& turn) {
  switch (outcome) {
    case Handshake::Outcome::kNothing:
      return;
    case Handshake::Outcome::kDropped:
      ++counters_.droppedUnexpected;
      return;
    case Handshake::Outcome::kFailed:
      return end(CloseReason::kSetupFailed, turn);
    case Handshake::Outcome::kRestarted:
      channels_.onPeerRestarted(turn.sink);
      teardown_ = Teardown();
      break;
    case Handshake::Outcome::kEstablished:
      break;
  }
  const EndParameters& local = handshake_.local();
  const EndParameters& peer = handshake_.peer();
  sender_.begin(local, peer);
  receiver_.begin(peer.initialTsn);
  reset_.begin(local.initialTsn, peer.initialTsn);
  turn.sink.established();
  channels_.onEstablished(std::min(local.outgoingStreams, peer.incomingStreams), peer.reconfig, turn.sink);
}

void Association::onTeardown(Teardown::Outcome outcome, Turn& turn) {
  switch (outcome) {
    case Teardown::Outcome::kNothing:
      return;
    case Teardown::Outcome::kDropped:
      ++counters_.droppedUnexpected;
      return;
    case Teardown::Outcome::kDone:
      return end(CloseReason::kShutdown, turn);
    case Teardown::Outcome::kFailed:
      return abortWith(ErrorCause::kUserInitiatedAbort, CloseReason::kUnresponsive, turn);
  }
}

void Association::onData(const ChunkView& chunk, Turn& turn) {
  const auto data = parseData(chunk);
  if (!data) return violated(turn);  // RFC 9260 §6.2: no user data
  teardown_.onData();
  switch (receiver_.onData(*data)) {
    case Receiver::Verdict::kTaken:
      break;
    case Receiver::Verdict::kDeliverNow:
      channels_.onMessage(data->stream, data->payloadProtocol, data->payload, turn.sink);
      break;
    case Receiver::Verdict::kViolation:
      return violated(turn);
  }
  deliverReady(turn);
}

void Association::onSack(const ChunkView& chunk, Turn& turn) {
  const auto sack = parseSack(chunk);
  if (!sack) {
    ++counters_.droppedMalformed;
    return;
  }
  if (!sender_.onSack(*sack, turn.nowUs)) violated(turn);
}

void Association::onShutdown(const ChunkView& chunk, Turn& turn) {
  const auto cumulative = parseShutdown(chunk);
  if (!cumulative) {
    ++counters_.droppedMalformed;
    return;
  }
  if (!sender_.onCumulative(*cumulative, turn.nowUs)) return violated(turn);
  teardown_.onShutdown();
}

void Association::onReset(const StreamReset::Outcome& outcome, Turn& turn) {
  for (const StreamId stream : outcome.incoming) receiver_.resetStream(stream);
  if (outcome.allIncoming) receiver_.resetAllStreams();
  channels_.onIncomingReset(outcome, turn.sink);
  channels_.onOutgoingReset(outcome, turn.sink);
}

void Association::onError(const ChunkView& chunk, Turn& turn) {
  ParameterReader causes(chunk.value);
  while (const auto cause = causes.next()) {
    if (cause->type != static_cast<uint16_t>(ErrorCause::kStaleCookie)) continue;
    return onHandshake(handshake_.onStaleCookie(turn.nowUs, turn.out), turn);
  }
}

void Association::onHeartbeat(const ChunkView& chunk, Turn& turn) {
  if (chunk.value.size() > turn.out.fullRoom()) {
    ++counters_.droppedMalformed;
    return;
  }
  turn.out.chunk(ChunkType::kHeartbeatAck, 0, chunk.value);
}

void Association::deliverReady(Turn& turn) {
  while (!over_ && !abortWanted_) {
    const auto message = receiver_.next();
    if (!message) return;
    channels_.onMessage(message->stream, message->payloadProtocol, message->bytes, turn.sink);
  }
}

/// What a call from the owner has changed goes out, unless an outer call does that anyway.
void Association::settle(TimeUs nowUs, Sink& sink) {
  if (over_ || inTurn_) return;
  Turn turn(*this, nowUs, sink);
  deliverReady(turn);
  finish(turn);
}

/// The end of every outermost call: tells the owner, then fills packets in the order SACK, control, data.
void Association::finish(Turn& turn) {
  if (abortWanted_) {
    abortWith(ErrorCause::kUserInitiatedAbort, CloseReason::kAborted, turn);
  } else if (isEstablished()) {
    channels_.resetDrained(turn.sink);
    if (sender_.takeWritable()) turn.sink.writable();
    if (receiver_.sackDue() || (receiver_.sackPending() && sender_.wantsToTransmit())) receiver_.writeSack(turn.out);
    reset_.write(sender_.settledTsn(), sender_.timeoutUs(), turn.nowUs, turn.out);
    sender_.transmit(turn.nowUs, turn.out);
    teardown_.proceed({.drained = sender_.queue().isDrained(),
                       .cumulativeTsn = static_cast<uint32_t>(receiver_.cumulative()),
                       .timeoutUs = sender_.timeoutUs(),
                       .nowUs = turn.nowUs},
                      turn.out);
  } else if (teardown_.begun() && !over_) {
    end(CloseReason::kShutdown, turn);  // there was nothing yet to agree on
  }
  turn.out.flush();
  if (abortWanted_) abortWith(ErrorCause::kUserInitiatedAbort, CloseReason::kAborted, turn);  // by a sink just called
}

void Association::violated(Turn& turn) {
  abortWith(ErrorCause::kProtocolViolation, CloseReason::kProtocolViolation, turn);
}

void Association::abortWith(ErrorCause cause, CloseReason reason, Turn& turn) {
  if (over_) return;
  if (handshake_.peer().tag != 0) {
    writeParameterHeader(turn.out.chunk(ChunkType::kAbort, 0, kParameterHeaderBytes), static_cast<uint16_t>(cause), 0);
    turn.out.flush();
  }
  end(reason, turn);
}

void Association::end(CloseReason reason, Turn& turn) {
  if (over_) return;
  over_ = true;
  turn.sink.closed(reason);
}

}  // namespace sluice::sctp
