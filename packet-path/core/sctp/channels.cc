#include "channels.h"

namespace sluice::sctp {
namespace {

Delivery deliveryOf(StreamId stream, const ChannelSpec& spec, bool unordered, TimeUs nowUs) {
  Delivery delivery{.stream = stream, .unordered = unordered};
  if (spec.maxRetransmits) {
    delivery.maxRetransmits = *spec.maxRetransmits;
  } else if (spec.maxPacketLifeTimeMs) {
    delivery.expiresAtUs = nowUs + *spec.maxPacketLifeTimeMs * kMillisecondUs;
  }
  return delivery;
}

Delivery controlDelivery(StreamId stream) {
  return {.stream = stream, .payloadProtocol = static_cast<uint32_t>(PayloadProtocol::kControl)};
}

/// SCTP has no empty messages: one byte stands for none (RFC 8831 §6.6).
constexpr uint8_t kEmptyStandIn[] = {0};

PayloadProtocol payloadProtocolOf(const Message& message) {
  if (message.kind == MessageKind::kString) {
    return message.bytes.empty() ? PayloadProtocol::kStringEmpty : PayloadProtocol::kString;
  }
  return message.bytes.empty() ? PayloadProtocol::kBinaryEmpty : PayloadProtocol::kBinary;
}

std::optional<Message> messageOf(StreamId stream, uint32_t payloadProtocol, Bytes bytes) {
  switch (static_cast<PayloadProtocol>(payloadProtocol)) {
    case PayloadProtocol::kString:
      return Message{.stream = stream, .kind = MessageKind::kString, .bytes = bytes};
    case PayloadProtocol::kBinary:
      return Message{.stream = stream, .kind = MessageKind::kBinary, .bytes = bytes};
    case PayloadProtocol::kStringEmpty:
      return Message{.stream = stream, .kind = MessageKind::kString, .bytes = {}};
    case PayloadProtocol::kBinaryEmpty:
      return Message{.stream = stream, .kind = MessageKind::kBinary, .bytes = {}};
    case PayloadProtocol::kControl:
      break;
  }
  return std::nullopt;
}

}  // namespace

Channels::Channels(const AssociationConfig& config, Counters& counters, Sender& sender, StreamReset& reset)
    : config_(config), counters_(counters), sender_(sender), reset_(reset) {}

std::optional<StreamId> Channels::open(const ChannelSpec& spec, Sink& sink) {
  if (channels_.size() >= config_.maxChannels) return std::nullopt;
  if (spec.label.size() > kMaxNameBytes || spec.protocol.size() > kMaxNameBytes) return std::nullopt;
  const auto stream = spec.negotiatedStream ? spec.negotiatedStream : freeStream();
  if (!stream || *stream >= outgoingStreams_ || channels_.contains(*stream)) return std::nullopt;

  if (!spec.negotiatedStream) {
    if (!sender_.pushControl(controlDelivery(*stream), writeOpen(spec))) return std::nullopt;
    channels_[*stream] = {.spec = spec, .state = State::kOpening};
    return stream;
  }
  Channel& channel = channels_[*stream] = {.spec = spec, .state = State::kWaiting};
  if (established_) markOpen(*stream, channel, sink);
  return stream;
}

/// RFC 8832 §6: the DTLS client takes the even ones.
std::optional<StreamId> Channels::freeStream() const {
  for (uint32_t id = config_.dtlsClient ? 0 : 1; id < outgoingStreams_; id += 2) {
    if (!channels_.contains(static_cast<StreamId>(id))) return static_cast<StreamId>(id);
  }
  return std::nullopt;
}

void Channels::close(StreamId stream, Sink& sink) {
  Channel* channel = find(stream);
  if (channel == nullptr || channel->state == State::kClosing) return;
  if (!established_) {
    sender_.dropUnsent(stream);
    remove(stream, sink);
    return;
  }
  startClosing(*channel);
}

SendResult Channels::send(const Message& message, TimeUs nowUs) {
  const Channel* channel = find(message.stream);
  if (channel == nullptr || channel->state == State::kClosing) return SendResult::kNoSuchChannel;
  if (config_.maxSentMessageBytes != 0 && message.bytes.size() > config_.maxSentMessageBytes) {
    return SendResult::kTooLarge;
  }
  if (message.bytes.size() > config_.sendBufferBytes) return SendResult::kTooLarge;
  // RFC 8832 §6: in order until the peer has acknowledged, so that nothing overtakes the OPEN.
  const bool unordered = !channel->spec.ordered && channel->state != State::kOpening;
  Delivery delivery = deliveryOf(message.stream, channel->spec, unordered, nowUs);
  delivery.payloadProtocol = static_cast<uint32_t>(payloadProtocolOf(message));
  if (!sender_.push(delivery, message.bytes.empty() ? Bytes(kEmptyStandIn) : message.bytes)) {
    return SendResult::kBufferFull;
  }
  ++counters_.messagesSent;
  return SendResult::kOk;
}

void Channels::onMessage(StreamId stream, uint32_t payloadProtocol, Bytes bytes, Sink& sink) {
  if (payloadProtocol == static_cast<uint32_t>(PayloadProtocol::kControl)) {
    onControl(stream, bytes, sink);
    return;
  }
  const auto message = messageOf(stream, payloadProtocol, bytes);
  if (!message) {
    ++counters_.droppedPayloadProtocol;
    return;
  }
  Channel* channel = find(stream);
  if (channel == nullptr || channel->state == State::kClosing) {
    ++counters_.droppedNoChannel;
    return;
  }
  // Unordered data may overtake the ACK; it proves the same.
  if (channel->state == State::kOpening) markOpen(stream, *channel, sink);
  ++counters_.messagesReceived;
  sink.message(*message);
}

void Channels::onControl(StreamId stream, Bytes bytes, Sink& sink) {
  if (const auto spec = parseOpen(bytes)) {
    onOpen(stream, *spec, sink);
    return;
  }
  Channel* channel = find(stream);
  const bool ack = !bytes.empty() && bytes[0] == static_cast<uint8_t>(ControlType::kAck);
  if (ack && channel != nullptr && channel->state == State::kOpening) {
    markOpen(stream, *channel, sink);
    return;
  }
  // A late ACK, of a channel that data has opened before, is as it should be.
  if (ack && channel != nullptr) return;
  if (!ack && channel == nullptr) return refuse(stream);
  ++counters_.droppedChannelControl;
}

void Channels::onOpen(StreamId stream, const ChannelSpec& spec, Sink& sink) {
  Channel* known = find(stream);
  if (known != nullptr && known->state == State::kClosing && known->incomingReset && known->resetRequested) {
    // The peer opens the stream again: it has performed our reset, and only its answer is still to come.
    sender_.resetStream(stream);
    remove(stream, sink);
    known = find(stream);
  }
  if (known != nullptr) {
    const bool usable = known->state != State::kClosing && acknowledgeOpen(stream);
    if (!usable) ++counters_.droppedChannelControl;
    if (usable && known->state == State::kOpening) markOpen(stream, *known, sink);
    return;
  }
  if (stream >= outgoingStreams_ || channels_.size() >= config_.maxChannels || !acknowledgeOpen(stream)) {
    return refuse(stream);
  }
  channels_[stream] = {.spec = spec, .state = State::kOpen};
  sink.channelOpened(stream, spec);
}

/// The peer learns it from the reset of the stream. Refusals that wait for their turn are bounded; beyond that it
/// learns nothing.
void Channels::refuse(StreamId stream) {
  ++counters_.droppedChannelControl;
  if (canReset_ && stream < outgoingStreams_ && reset_.waiting() < config_.maxChannels) reset_.request(stream);
}

bool Channels::acknowledgeOpen(StreamId stream) {
  return sender_.pushControl(controlDelivery(stream), kControlAck);
}

void Channels::onEstablished(uint16_t outgoingStreams, bool canReset, Sink& sink) {
  established_ = true;
  canReset_ = canReset;
  outgoingStreams_ = outgoingStreams;
  // The sink may open and close channels meanwhile: each step finds its place anew.
  for (auto at = channels_.begin(); at != channels_.end();) {
    const StreamId stream = at->first;
    if (stream >= outgoingStreams_) {
      sender_.dropUnsent(stream);
      remove(stream, sink);
    } else if (at->second.state == State::kWaiting) {
      markOpen(stream, at->second, sink);
    }
    at = channels_.upper_bound(stream);
  }
}

void Channels::onPeerRestarted(Sink& sink) {
  for (auto at = channels_.begin(); at != channels_.end();) {
    const StreamId stream = at->first;
    Channel& channel = at->second;
    if (!channel.spec.negotiatedStream || channel.state == State::kClosing) {
      sender_.dropUnsent(stream);
      remove(stream, sink);
    }
    at = channels_.upper_bound(stream);
  }
}

void Channels::onIncomingReset(const StreamReset::Outcome& outcome, Sink& sink) {
  for (const StreamId stream : outcome.incoming) incomingReset(stream, sink);
  if (!outcome.allIncoming) return;
  for (auto at = channels_.begin(); at != channels_.end();) {
    const StreamId stream = at->first;
    incomingReset(stream, sink);
    at = channels_.upper_bound(stream);
  }
}

void Channels::incomingReset(StreamId stream, Sink& sink) {
  Channel* channel = find(stream);
  if (channel == nullptr) return;
  channel->incomingReset = true;
  if (channel->state != State::kClosing) {
    sender_.dropUnsent(stream);  // the peer takes no more
    startClosing(*channel);
  }
  finishIfReset(stream, sink);
}

void Channels::onOutgoingReset(const StreamReset::Outcome& outcome, Sink& sink) {
  for (const StreamId stream : outcome.outgoing) {
    Channel* channel = find(stream);
    // A channel without a request was opened anew meanwhile, or the stream was refused and never used.
    if (channel == nullptr || !channel->resetRequested || channel->outgoingReset) continue;
    channel->outgoingReset = true;
    if (outcome.performed) sender_.resetStream(stream);
    finishIfReset(stream, sink);
  }
}

void Channels::resetDrained(Sink& sink) {
  if (closing_ == 0) return;
  for (auto at = channels_.begin(); at != channels_.end();) {
    const StreamId stream = at->first;
    Channel& channel = at->second;
    if (channel.state == State::kClosing && !channel.resetRequested && sender_.queue().isDrained(stream)) {
      channel.resetRequested = true;
      if (canReset_) {
        reset_.request(stream);
      } else {
        remove(stream, sink);
      }
    }
    at = channels_.upper_bound(stream);
  }
}

Channels::Channel* Channels::find(StreamId stream) {
  const auto at = channels_.find(stream);
  return at == channels_.end() ? nullptr : &at->second;
}

void Channels::markOpen(StreamId stream, Channel& channel, Sink& sink) {
  channel.state = State::kOpen;
  const ChannelSpec spec = channel.spec;  // the sink may close the channel while it reads
  sink.channelOpened(stream, spec);
}

void Channels::startClosing(Channel& channel) {
  channel.state = State::kClosing;
  ++closing_;
}

void Channels::finishIfReset(StreamId stream, Sink& sink) {
  const Channel* channel = find(stream);
  if (channel != nullptr && channel->incomingReset && channel->outgoingReset) remove(stream, sink);
}

void Channels::remove(StreamId stream, Sink& sink) {
  const auto at = channels_.find(stream);
  if (at->second.state == State::kClosing) --closing_;
  channels_.erase(at);
  sink.channelClosed(stream);
}

}  // namespace sluice::sctp
