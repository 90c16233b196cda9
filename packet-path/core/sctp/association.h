// One SCTP association inside one DTLS connection, as WebRTC data channels use it: RFC 9260 (single path), RFC 3758
// partial reliability, RFC 6525 stream reset, RFC 8831 and RFC 8832 channels. Given time and packets; gives packets,
// messages and deadlines.
#pragma once

#include <optional>

#include "types.h"

namespace sluice::sctp {

class Association {
 public:
  Association(const AssociationConfig& config, const Seed& seed);
  ~Association();
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
  [[nodiscard]] size_t bufferedBytes(StreamId stream) const;
  [[nodiscard]] const Counters& counters() const;
};

}  // namespace sluice::sctp
