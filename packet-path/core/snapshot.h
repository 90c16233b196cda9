// Numbers of one session at one moment, for status reports and for people. See src/snapshot.ts for the public form.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "spec.h"
#include "wire/types.h"

namespace sluice {

enum class SessionState : uint8_t {
  kLanded,     ///< an authenticated ICE check came
  kConnected,  ///< DTLS is done, media may flow
  kClosed,
};

/// One RTP stream of an incoming track (an encoding, when the track is simulcast).
struct IncomingStreamSnapshot {
  TrackKey track{};
  MediaKind kind = MediaKind::kAudio;
  std::string mid;
  std::string rid;  ///< empty: none
  Ssrc ssrc = 0;
  Codec codec = Codec::kOther;
  uint8_t payloadType = 0;
  uint64_t packets = 0;    ///< distinct packets, recovered ones included
  uint64_t bytes = 0;      ///< their RTP payload
  int64_t lost = 0;        ///< cumulative (RFC 3550 §6.4.1): negative when duplicates outnumber losses
  uint64_t recovered = 0;  ///< came by RTX
  uint64_t duplicates = 0;
  double jitterMs = 0;  ///< RFC 3550 §6.4.1
  uint64_t nacks = 0;   ///< sequence numbers asked for
  uint64_t plis = 0;    ///< key frames asked for
  uint64_t keyFrames = 0;
  double audioLevel = 0;  ///< linear, 0 … 1, smoothed; 0 when silent or not audio
  bool audioActive = false;
  TimeUs lastPacketAtUs = 0;
};

/// One outgoing stream: a subscription of this session's client.
struct OutgoingStreamSnapshot {
  TrackKey track{};
  MediaKind kind = MediaKind::kAudio;
  std::string mid;
  Ssrc ssrc = 0;
  Codec codec = Codec::kOther;  ///< of the last packet sent
  bool paused = false;
  bool heldBack = false;  ///< paused because the client's network does not carry it
  bool flowing = false;   ///< false: waits for a key frame, for packets, or is paused
  struct Layer {
    uint8_t spatial = 0;  ///< from the lowest
    uint8_t temporal = 0;
  };
  std::optional<Layer> layer;  ///< that flows
  Layer target;                ///< that is aimed at: wished, allotted, and there
  uint64_t frames = 0;         ///< in order; of audio: packets
  uint64_t keyFrames = 0;
  uint64_t layerSwitches = 0;
  uint64_t packets = 0;  ///< without retransmissions
  uint64_t bytes = 0;    ///< RTP payload, without retransmissions
  uint64_t resentPackets = 0;
  uint64_t resentBytes = 0;
  uint64_t nacks = 0;       ///< sequence numbers the client asked for
  uint64_t plis = 0;        ///< key frames the client asked for
  double fractionLost = 0;  ///< 0 … 1, of the client's last report
  int64_t lost = 0;         ///< cumulative, of the client's last report
  double jitterMs = 0;      ///< of the client's last report
};

struct DataSnapshot {
  uint64_t messagesIn = 0;
  uint64_t bytesIn = 0;
  uint64_t messagesOut = 0;
  uint64_t bytesOut = 0;
  uint64_t bufferedBytes = 0;  ///< accepted for sending, not yet acknowledged
  uint32_t openChannels = 0;
  /// Highest DataPacket.sequence received from this client on its reliable channel; 0 before any.
  uint32_t lastReliableSequence = 0;
};

/// What is known of the way to a client that gives transport-wide feedback.
struct SendSnapshot {
  uint64_t targetBps = 0;   ///< how fast we may send
  uint64_t ackedBps = 0;    ///< how much arrives; 0 until known
  double loss = 0;          ///< 0 … 1, over the last seconds
  double inherentLoss = 0;  ///< share of it that does not come from sending too much
  double queueMs = 0;       ///< waiting at the bottleneck
  uint64_t bytesInFlight = 0;
};

struct SessionSnapshot {
  SessionKey session{};
  SessionState state = SessionState::kLanded;
  Address remote;
  TimeUs landedAtUs = 0;
  TimeUs connectedAtUs = 0;  ///< 0 until connected
  double rttMs = 0;          ///< smoothed, 0 until measured
  uint64_t datagramsIn = 0;
  uint64_t bytesIn = 0;
  uint64_t datagramsOut = 0;
  uint64_t bytesOut = 0;
  std::optional<SendSnapshot> send;
  std::vector<IncomingStreamSnapshot> incoming;
  std::vector<OutgoingStreamSnapshot> outgoing;
  DataSnapshot data;
};

}  // namespace sluice
