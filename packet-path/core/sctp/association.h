// One SCTP association inside one DTLS connection, as WebRTC data channels use it: RFC 9260 (single path), RFC 3758
// partial reliability, RFC 6525 stream reset, RFC 8831 and RFC 8832 channels. Given time and packets; gives packets,
// messages and deadlines.
//
//   receive ─▶ chunks ─▶ handshake, teardown, stream_reset
//                  ├───▶ receiver (received_tsns, reassembly) ─▶ channels (dcep) ─▶ sink
//                  └───▶ sender (outstanding, congestion, retransmission_timer)
//   send, open, close ─▶ channels ─▶ sender (send_queue) ─▶ outbox ─▶ sink
#pragma once

#include <optional>

#include "channels.h"
#include "handshake.h"
#include "outbox.h"
#include "receiver.h"
#include "sender.h"
#include "stream_reset.h"
#include "teardown.h"
#include "types.h"

namespace sluice::sctp {

class Association {
 public:
  Association(const AssociationConfig& config, const Seed& seed);
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;

  /// DTLS is up: sends INIT. The peer may do so too, before or after; a packet of the peer's needs no start.
  void start(TimeUs nowUs, Sink& sink);

  /// One SCTP packet, as it came out of DTLS.
  void receive(Bytes packet, TimeUs nowUs, Sink& sink);

  /// Copies the message. An answer other than kOk means that nothing was taken.
  [[nodiscard]] SendResult send(const Message& message, TimeUs nowUs, Sink& sink);

  /// Adds a channel, also before the association is up. Messages may be sent at once (RFC 8832 §6). Nothing when the
  /// stream is in use, no stream is free, or the association is over.
  std::optional<StreamId> open(const ChannelSpec& spec, TimeUs nowUs, Sink& sink);

  /// Sends what is queued, then resets the stream (RFC 8831 §6.7). Sink::channelClosed follows.
  void close(StreamId stream, TimeUs nowUs, Sink& sink);

  /// While paused, complete messages wait inside and close the receive window on the peer.
  void pauseReceiving(bool paused, TimeUs nowUs, Sink& sink);

  /// Sends what is queued, then ends in agreement (RFC 9260 §9.2). Sink::closed follows.
  void shutdown(TimeUs nowUs, Sink& sink);

  /// Ends at once (RFC 9260 §9.1).
  void abort(TimeUs nowUs, Sink& sink);

  /// When onDeadline wants to be called next; kNever when there is nothing to wait for.
  [[nodiscard]] TimeUs nextDeadline() const;
  void onDeadline(TimeUs nowUs, Sink& sink);

  /// Bytes of this channel's messages that were never on the wire yet; what bufferedAmount is in a browser.
  [[nodiscard]] size_t bufferedBytes(StreamId stream) const { return sender_.queue().unsentBytes(stream); }
  /// Handshake done, and not over.
  [[nodiscard]] bool isEstablished() const;
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  struct Turn;

  void answerOutOfTheBlue(const PacketView& view, Turn& turn);
  [[nodiscard]] bool isCurrent(const ChunkView& chunk, uint32_t tag) const;
  void onChunk(const ChunkView& chunk, uint32_t tag, Turn& turn);
  void onEstablishedChunk(const ChunkView& chunk, Turn& turn);
  void onUnknownChunk(const ChunkView& chunk, Turn& turn);
  void onHandshake(Handshake::Outcome outcome, Turn& turn);
  void onTeardown(Teardown::Outcome outcome, Turn& turn);
  void onData(const ChunkView& chunk, Turn& turn);
  void onSack(const ChunkView& chunk, Turn& turn);
  void onShutdown(const ChunkView& chunk, Turn& turn);
  void onReset(const StreamReset::Outcome& outcome, Turn& turn);
  void onError(const ChunkView& chunk, Turn& turn);
  void onHeartbeat(const ChunkView& chunk, Turn& turn);
  void deliverReady(Turn& turn);
  void settle(TimeUs nowUs, Sink& sink);
  void finish(Turn& turn);
  void violated(Turn& turn);
  void abortWith(ErrorCause cause, CloseReason reason, Turn& turn);
  void end(CloseReason reason, Turn& turn);

  const AssociationConfig config_;
  Counters counters_;
  Handshake handshake_;
  Sender sender_;
  Receiver receiver_;
  StreamReset reset_;
  Channels channels_;
  Teardown teardown_;
  bool inTurn_ = false;  ///< a call is under way; calls from within the sink leave the rest to it
  bool abortWanted_ = false;
  bool over_ = false;
};

}  // namespace sluice::sctp
