// The data channels of an association: opened in band or agreed beforehand, closed by resetting their streams
// (RFC 8831 §6, RFC 8832).
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "dcep.h"
#include "sender.h"
#include "stream_reset.h"
#include "types.h"

namespace sluice::sctp {

class Channels {
 public:
  Channels(const AssociationConfig& config, Counters& counters, Sender& sender, StreamReset& reset);
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;

  std::optional<StreamId> open(const ChannelSpec& spec, Sink& sink);
  void close(StreamId stream, Sink& sink);
  [[nodiscard]] SendResult send(const Message& message, TimeUs nowUs);

  /// A whole message of the peer's, in its turn.
  void onMessage(StreamId stream, uint32_t payloadProtocol, Bytes bytes, Sink& sink);

  /// `outgoingStreams` are those we may send on; `canReset` tells that the peer knows RFC 6525.
  void onEstablished(uint16_t outgoingStreams, bool canReset, Sink& sink);
  /// The peer has no memory of channels that were opened in band.
  void onPeerRestarted(Sink& sink);

  /// The peer's outgoing streams start anew: it closed these channels, or agrees to our closing them.
  void onIncomingReset(const StreamReset::Outcome& outcome, Sink& sink);
  /// Ours do.
  void onOutgoingReset(const StreamReset::Outcome& outcome, Sink& sink);
  /// Asks for the reset of closing channels whose messages are all acknowledged.
  void resetDrained(Sink& sink);

 private:
  enum class State : uint8_t {
    kWaiting,  ///< negotiated, and the association is not up yet
    kOpening,  ///< our OPEN is not acknowledged yet
    kOpen,
    kClosing,
  };

  struct Channel {
    ChannelSpec spec;
    State state = State::kOpen;
    bool resetRequested = false;
    bool outgoingReset = false;
    bool incomingReset = false;
  };
  using Map = std::map<StreamId, Channel>;

  [[nodiscard]] std::optional<StreamId> freeStream() const;
  [[nodiscard]] Channel* find(StreamId stream);
  void onControl(StreamId stream, Bytes bytes, Sink& sink);
  void onOpen(StreamId stream, const ChannelSpec& spec, Sink& sink);
  void markOpen(StreamId stream, Channel& channel, Sink& sink);
  void startClosing(Channel& channel);
  void incomingReset(StreamId stream, Sink& sink);
  void finishIfReset(StreamId stream, Sink& sink);
  void remove(StreamId stream, Sink& sink);
  [[nodiscard]] bool acknowledgeOpen(StreamId stream);
  void refuse(StreamId stream);

  const AssociationConfig& config_;
  Counters& counters_;
  Sender& sender_;
  StreamReset& reset_;
  Map channels_;
  size_t closing_ = 0;
  bool established_ = false;
  bool canReset_ = false;
  uint32_t outgoingStreams_ = UINT16_MAX;  // 65535 streams are numbered up to 65534
};

}  // namespace sluice::sctp
