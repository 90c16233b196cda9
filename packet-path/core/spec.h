// What should be: the packet path's own form of contracts' SessionSpec. Keys stand for the string ids of the control
// plane; the binding interns them (equal id ⇔ equal key) and never reuses one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wire/header_extensions.h"
#include "wire/types.h"

namespace sluice {

enum class SessionKey : uint64_t {};
enum class TrackKey : uint64_t {};
enum class GroupKey : uint64_t {};
enum class ParticipantKey : uint64_t {};

enum class MediaKind : uint8_t { kAudio, kVideo };
enum class Codec : uint8_t { kOther, kOpus, kRed, kPcmu, kPcma, kVp8, kVp9, kH264, kH265, kAv1 };

struct CodecSpec {
  uint8_t payloadType = 0;
  Codec codec = Codec::kOther;
  uint32_t clockRateHz = 90'000;
  std::optional<uint8_t> rtxPayloadType;  ///< RFC 4588
  /// Tells apart formats of one codec (H.264 profile and packetization mode, VP9 profile). Equal text, same format.
  std::string profile;
};

/// One RTP stream of an incoming track, as far as the SDP named it. A stream that came by RID has no SSRC here.
struct IncomingStreamSpec {
  std::optional<Ssrc> ssrc;
  std::optional<Ssrc> rtxSsrc;
  std::string rid;  ///< empty: none
};

/// A track that this session's client publishes.
struct IncomingTrackSpec {
  TrackKey track{};
  MediaKind kind = MediaKind::kAudio;
  std::string mid;
  std::vector<CodecSpec> codecs;
  std::vector<IncomingStreamSpec> streams;
  bool nack = false;         ///< ask for lost packets
  bool transportCc = false;  ///< negotiated transport-wide congestion control feedback
};

/// What a client has a use for of a video track: the limit for layers, and what to weigh when bandwidth is short.
struct TrackWish {
  static constexpr uint8_t kHighest = 0xFF;
  uint8_t spatial = kHighest;  ///< the best spatial layer with a use, counted from the lowest
  uint8_t maxFps = 0;          ///< 0: as many as there are
  uint16_t priority = 0;       ///< 1 goes first, larger ones later; 0: it does not say
  uint16_t widthPx = 0;        ///< how large it is shown; 0: unknown
  uint16_t heightPx = 0;
  bool mayPause = false;  ///< it may be held back while the network does not carry it
  friend bool operator==(const TrackWish&, const TrackWish&) = default;
};

/// A track that this session's client receives. SSRCs were chosen by the spec's writer.
struct OutgoingTrackSpec {
  TrackKey track{};
  MediaKind kind = MediaKind::kAudio;
  std::string mid;
  Ssrc ssrc = 0;
  std::optional<Ssrc> rtxSsrc;
  std::vector<CodecSpec> codecs;
  bool paused = false;
  TrackWish wish;
};

struct IceCredentials {
  std::string usernameFragment;
  std::string password;
};

struct Fingerprint {
  std::string algorithm;  ///< "sha-256", "sha-384", "sha-512" (RFC 8122 §5)
  std::vector<uint8_t> digest;
};

struct DataChannelSpec {
  std::string label;
  std::string protocol;
  bool ordered = true;
  std::optional<uint16_t> maxRetransmits;
  std::optional<uint16_t> maxPacketLifeTimeMs;
  /// Set: negotiated out of band on this stream (RFC 8832 §1). Unset with `open`: this side opens it by DCEP.
  std::optional<uint16_t> streamId;
  bool open = false;
};

/// The session's place in a data group (a room's data channels).
struct DataSpec {
  uint16_t sctpPort = 5'000;
  uint32_t remoteMaxMessageBytes = 65'536;
  GroupKey group{};
  std::string participantSid;
  std::string participantIdentity;
  bool hidden = false;   ///< sender fields are blanked
  bool publish = false;  ///< messages of this client go to the group
  bool receive = false;  ///< messages of the group go to this client
  std::vector<DataChannelSpec> channels;
};

struct SessionSpec {
  SessionKey session{};
  ParticipantKey participant{};
  uint64_t epoch = 0;
  uint64_t generation = 0;
  /// Newest first. Older ones stay valid for checks while a restart settles (RFC 8445 §9).
  std::vector<IceCredentials> localCredentials;
  std::optional<IceCredentials> remoteCredentials;
  bool dtlsServer = true;
  std::vector<Fingerprint> remoteFingerprints;
  wire::ExtensionMap extensions;
  std::vector<IncomingTrackSpec> incoming;
  std::vector<OutgoingTrackSpec> outgoing;
  std::optional<DataSpec> data;
};

}  // namespace sluice
