// What an SCTP association takes from and gives to the session that owns it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "../wire/types.h"

namespace sluice::sctp {

/// RFC 8831 §6.4: a data channel is the pair of streams, one each way, with this identifier.
using StreamId = uint16_t;

/// RFC 8831 §8 tells strings from binary, and empty ones from those with content, by payload protocol identifier. Here
/// an empty message is one without bytes.
enum class MessageKind : uint8_t { kString, kBinary };

struct Message {
  StreamId stream = 0;
  MessageKind kind = MessageKind::kBinary;
  Bytes bytes;
};

/// What both ends know of a channel (RFC 8832 §5.1). With neither limit it is reliable; with both, retransmissions
/// count.
struct ChannelSpec {
  std::string label = {};
  std::string protocol = {};
  bool ordered = true;
  std::optional<uint16_t> maxRetransmits = std::nullopt;
  std::optional<uint16_t> maxPacketLifeTimeMs = std::nullopt;
  /// Set: negotiated out of band on this stream, open as soon as the association is. Unset: opened in band by DCEP, on
  /// the next free stream of our parity.
  std::optional<StreamId> negotiatedStream = std::nullopt;
};

enum class CloseReason : uint8_t {
  kAborted,            ///< abort() was called
  kShutdown,           ///< shut down in agreement, from either side
  kAbortedByPeer,      ///< ABORT received
  kSetupFailed,        ///< no answer to INIT or COOKIE ECHO, or one that cannot be accepted
  kUnresponsive,       ///< out of retransmissions
  kProtocolViolation,  ///< the peer broke a rule that cannot be lived with
};

enum class SendResult : uint8_t {
  kOk,
  kBufferFull,     ///< nothing was taken; Sink::writable tells when to try again
  kNoSuchChannel,  ///< never opened, closing, or the association is over
  kTooLarge,       ///< above what the peer said it takes
};

/// Where everything an association produces goes. The methods are called in the middle of an association's call: an
/// implementation may call send, open, close, shutdown, abort and the const methods of the same association from within
/// (what they cause is put on the wire before the outer call returns), but not receive, start or onDeadline, and it
/// must not destroy the association. Spans are valid during the call only.
class Sink {
 public:
  virtual ~Sink() = default;

  /// An SCTP packet for the DTLS connection, at most `maxPacketBytes` long.
  virtual void packet(Bytes packet) = 0;
  /// The handshake is done. Channels negotiated beforehand are opened right after. Told again when the peer lost its
  /// state and set the association up anew; channels opened in band were closed before that.
  virtual void established() = 0;
  /// By the peer's DCEP OPEN, the peer's ACK to ours, or because a negotiated channel's association came up.
  virtual void channelOpened(StreamId stream, const ChannelSpec& spec) = 0;
  virtual void message(const Message& message) = 0;
  /// Both directions are reset: the stream's identifier may be used again.
  virtual void channelClosed(StreamId stream) = 0;
  /// A send was refused with kBufferFull, and now half the buffer is free.
  virtual void writable() = 0;
  /// The association is over. Told once; its channels are gone without a word each.
  virtual void closed(CloseReason reason) = 0;
};

struct AssociationConfig {
  /// The DTLS client takes even stream identifiers, the server odd ones (RFC 8832 §6).
  bool dtlsClient = false;
  uint16_t localPort = 5'000;
  uint16_t remotePort = 5'000;
  /// What we said in a=max-message-size (RFC 8841 §6). A longer message ends the association.
  uint32_t maxReceivedMessageBytes = 262'144;
  /// What the peer said; 0 is "any size".
  uint32_t maxSentMessageBytes = 65'536;
  /// 1200 bytes of UDP payload less DTLS 1.2 record header, nonce and tag (37), rounded down with some to spare.
  uint16_t maxPacketBytes = 1'150;
  /// Bytes that may wait for missing ones, or for a paused receiver: 80 Mbit/s at 100 ms of round trip. Costs nothing
  /// while nothing waits.
  uint32_t receiveWindowBytes = 1'048'576;
  /// Bytes accepted by send and not yet acknowledged, with a fixed overhead for each message: as much as fills the
  /// window above, and as much again that waits.
  uint32_t sendBufferBytes = 2'097'152;
  /// Channels and streams with state at once, of the 65535 that have a number; Chromium has as many.
  uint16_t maxChannels = 1'024;
};

/// Strong random bytes, different for every association: tags, initial TSNs and the cookie key come of them.
using Seed = std::array<uint8_t, 32>;

/// Why something that arrived went no further, and what was done. Grows only.
struct Counters {
  uint64_t packetsSent = 0;
  uint64_t packetsReceived = 0;
  uint64_t messagesSent = 0;
  uint64_t messagesReceived = 0;
  uint64_t chunksRetransmitted = 0;
  uint64_t messagesAbandoned = 0;  ///< by their channel's own limit (RFC 3758)
  uint64_t timeouts = 0;           ///< T3-rtx (RFC 9260 §6.3.3)
  uint64_t fastRetransmits = 0;

  uint64_t droppedMalformed = 0;        ///< length, port or checksum is wrong
  uint64_t droppedTag = 0;              ///< verification tag (RFC 9260 §8.5)
  uint64_t droppedUnexpected = 0;       ///< a known chunk that this state has no use for
  uint64_t droppedUnknownChunk = 0;     ///< a chunk type we do not know
  uint64_t droppedDuplicate = 0;        ///< DATA that was here before
  uint64_t droppedWindow = 0;           ///< DATA beyond the window or the gaps we keep
  uint64_t droppedOrphan = 0;           ///< a fragment whose beginning can no longer come
  uint64_t droppedNoChannel = 0;        ///< a message on a stream without an open channel
  uint64_t droppedPayloadProtocol = 0;  ///< a payload protocol identifier that is not WebRTC's
  uint64_t droppedChannelControl = 0;   ///< DCEP that makes no sense, or a channel above the bound
  uint64_t droppedStreamState = 0;      ///< an ordered message on one stream too many
};

}  // namespace sluice::sctp
