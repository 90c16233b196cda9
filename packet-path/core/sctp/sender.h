// The sending half of an association: what goes out next, what goes out again, and what is given up.
#pragma once

#include <cstdint>

#include "congestion.h"
#include "outbox.h"
#include "outstanding.h"
#include "retransmission_timer.h"
#include "send_queue.h"
#include "state_cookie.h"
#include "types.h"

namespace sluice::sctp {

class Sender {
 public:
  Sender(const AssociationConfig& config, Counters& counters);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// The association stands, or stands anew: what was sent before is forgotten, what only waits is kept.
  void begin(const EndParameters& local, const EndParameters& peer);

  /// False when the buffer is full.
  [[nodiscard]] bool push(const Delivery& delivery, Bytes bytes);
  /// The same for messages about channels, which have room of their own.
  [[nodiscard]] bool pushControl(const Delivery& delivery, Bytes bytes);
  [[nodiscard]] const SendQueue& queue() const { return queue_; }
  void dropUnsent(StreamId stream) { queue_.dropUnsent(stream); }
  void resetStream(StreamId stream) { queue_.resetStream(stream); }

  /// The peer has acknowledged everything up to this TSN.
  [[nodiscard]] uint32_t settledTsn() const { return static_cast<uint32_t>(outstanding_.cumulative()); }
  [[nodiscard]] TimeUs timeoutUs() const { return timer_.timeoutUs(); }

  /// False when it acknowledges what was never sent.
  [[nodiscard]] bool onSack(const SackChunk& sack, TimeUs nowUs);
  /// The cumulative TSN of a SHUTDOWN.
  [[nodiscard]] bool onCumulative(uint32_t cumulativeTsn, TimeUs nowUs);

  [[nodiscard]] TimeUs nextDeadline() const { return timer_.deadlineUs(); }
  /// T3-rtx. False when the peer has been silent for too long.
  [[nodiscard]] bool onDeadline(TimeUs nowUs);

  /// transmit would put at least one chunk into a packet.
  [[nodiscard]] bool wantsToTransmit() const;
  /// Fills packets with what the windows allow, at most a burst of them.
  void transmit(TimeUs nowUs, Outbox& out);

  /// A push was refused and there is room again. Told once for each time.
  [[nodiscard]] bool takeWritable();

 private:
  void acknowledge(Tsn cumulative, const SackChunk& sack, TimeUs nowUs);
  void giveUp(TimeUs nowUs);
  void writeForward(TimeUs nowUs, Outbox& out);
  bool resendLost(TimeUs nowUs, Outbox& out);
  bool sendNew(TimeUs nowUs, Outbox& out);
  void write(const Fragment& fragment, Tsn tsn, Outbox& out);
  void noteSent(size_t bytes, TimeUs nowUs);

  const AssociationConfig& config_;
  Counters& counters_;
  SendQueue queue_;
  Outstanding outstanding_;
  Congestion congestion_;
  RetransmissionTimer timer_;
  size_t peerWindow_ = 0;  ///< what the peer has room for besides what is in flight
  bool partialReliability_ = false;
  /// The packet that a fast retransmission may send whatever the window (RFC 9260 §7.2.4 4).
  bool fastRetransmit_ = false;
  bool forwardDue_ = false;
  Tsn forwardedTo_ = 0;
  TimeUs forwardedAtUs_ = 0;
  TimeUs lastSentAtUs_ = 0;
  bool refused_ = false;
};

}  // namespace sluice::sctp
