// What a shard counts. Nothing is logged per packet: what happened is here, and what was dropped says why.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice {

/// Why something was dropped. Each enumerator is one metric, and one line in kDropReasonNames.
enum class DropReason : uint8_t {
  // datagrams, before a session is known
  kUnclassified,         // first byte outside every range of RFC 7983 §7
  kDatagramTooLarge,     // does not fit a Packet
  kUnknownAddress,       // not STUN, and from an address that no session uses
  kStunMalformed,        // not a binding request we can read
  kStunUnauthenticated,  // wrong or no MESSAGE-INTEGRITY
  kStunPendingFull,      // named an unknown username fragment while the waiting room was full
  kStunPendingExpired,   // its spec did not come in time
  kSessionEnded,         // for a session that has closed
  kPoolEmpty,            // no packet left in the pool
  kShardQueueFull,       // the queue towards another shard was full
  kStaleHandover,        // given by another shard, but nobody here wants it any more
  // before or beside media
  kDtlsRefused,          // a record that is malformed, not authentic, replayed or out of place
  kSctpRefused,          // a packet that the association did not take, or for which there is none
  kNotConnected,         // SRTP before its keys
  kSrtpMalformed,        // too short, or a header that does not fit
  kSrtpUnauthenticated,  // authentication tag wrong
  kSrtpReplayed,         // seen before, or older than the replay window
  // incoming RTP and RTCP
  kRtpMalformed,
  kRtpUnknownSource,       // SSRC, MID, RID and payload type name no incoming track
  kRtpUnknownPayloadType,  // payload type is not one of the track's codecs
  kRtpDuplicate,
  kRtpTooOld,     // behind the reorder window
  kRtxMalformed,  // no original sequence number, or nothing it could repair
  kRtxPadding,    // RTX without payload: a bandwidth probe, carries nothing
  kRtcpMalformed,
  // forwarding
  kNoCommonFormat,      // the receiver has no codec of this packet's format
  kWaitingForKeyFrame,  // video before the first frame that can be decoded
  kOtherEncoding,       // an encoding of a simulcast track that is not forwarded
  kOtherLayer,          // a layer that is not forwarded, or a publisher's own padding
  kUnknownLayer,        // what tells its layer was lost, or has not come yet
  kPaused,
  kLateForSwitch,  // belongs before the point at which forwarding (re)started
  kBurstRefused,   // the sink gave no room
  kSealFailed,     // SRTP refused to seal
  // retransmission towards subscribers
  kNackedUnknown,   // asked for a number that we never sent or no longer remember
  kNackedGone,      // the packet has left the history
  kNackedTooOften,  // resent as often as we resend, or just now
  // data
  kDataMalformed,      // not a DataPacket
  kDataNotAllowed,     // the sender may not publish data
  kDataUnknownLabel,   // came on a channel that the group does not share
  kDataTooLarge,       // larger than the receiver takes
  kDataChannelClosed,  // lossy, and the receiver's channel is not open
  kDataHeldFull,       // reliable, but the waiting room for a channel that is not open is full
  kDataHeldExpired,    // reliable, and the channel did not open in time
  kDataSendRefused,    // the association's send buffer is full
  kCount,
};

inline constexpr size_t kDropReasons = static_cast<size_t>(DropReason::kCount);

/// Metric label of each reason, in the order of DropReason.
inline constexpr std::array<const char*, kDropReasons> kDropReasonNames = {
    "unclassified",
    "datagram-too-large",
    "unknown-address",
    "stun-malformed",
    "stun-unauthenticated",
    "stun-pending-full",
    "stun-pending-expired",
    "session-ended",
    "pool-empty",
    "shard-queue-full",
    "stale-handover",
    "dtls-refused",
    "sctp-refused",
    "not-connected",
    "srtp-malformed",
    "srtp-unauthenticated",
    "srtp-replayed",
    "rtp-malformed",
    "rtp-unknown-source",
    "rtp-unknown-payload-type",
    "rtp-duplicate",
    "rtp-too-old",
    "rtx-malformed",
    "rtx-padding",
    "rtcp-malformed",
    "no-common-format",
    "waiting-for-key-frame",
    "other-encoding",
    "other-layer",
    "unknown-layer",
    "paused",
    "late-for-switch",
    "burst-refused",
    "seal-failed",
    "nacked-unknown",
    "nacked-gone",
    "nacked-too-often",
    "data-malformed",
    "data-not-allowed",
    "data-unknown-label",
    "data-too-large",
    "data-channel-closed",
    "data-held-full",
    "data-held-expired",
    "data-send-refused",
};

/// What a shard did. Each enumerator is one metric, and one line in kCounterNames.
enum class Counter : uint8_t {
  kDatagramsIn,
  kBytesIn,
  kDatagramsOut,
  kBytesOut,
  kBurstsOut,  // commits to the sink; datagramsOut / burstsOut is how well GSO is used
  kStunIn,
  kDtlsIn,
  kRtpIn,          // opened RTP packets
  kRtcpIn,         // opened RTCP compounds
  kRtpForwarded,   // packets sealed for a subscriber, without retransmissions
  kLayerSwitches,  // subscribers that went from one layer, or encoding, to another
  kRtpPaddingOut,  // RTP padding bytes spent on equal segments
  kRtcpOut,
  kRecoveredIn,  // packets that came by RTX and filled a gap
  kNacksOut,     // sequence numbers asked for, from publishers
  kNacksIn,      // sequence numbers that subscribers asked for
  kResentOut,
  kKeyFramesAskedOut,  // PLI towards publishers
  kKeyFramesAskedIn,   // PLI and FIR from subscribers
  kTransportFeedbackOut,
  kProbePacketsOut,  // packets of padding, to find out what a subscriber's network carries
  kDataMessagesIn,
  kDataMessagesOut,
  kHandedOver,     // datagrams given to the shard that owns their session
  kPostedPackets,  // packets given to other shards for their subscribers
  kSessionsLanded,
  kSessionsConnected,
  kSessionsClosed,
  kCount,
};

inline constexpr size_t kCounters = static_cast<size_t>(Counter::kCount);

/// Metric name of each counter, in the order of Counter.
inline constexpr std::array<const char*, kCounters> kCounterNames = {
    "datagrams-in",
    "bytes-in",
    "datagrams-out",
    "bytes-out",
    "bursts-out",
    "stun-in",
    "dtls-in",
    "rtp-in",
    "rtcp-in",
    "rtp-forwarded",
    "layer-switches",
    "rtp-padding-out",
    "rtcp-out",
    "recovered-in",
    "nacks-out",
    "nacks-in",
    "resent-out",
    "key-frames-asked-out",
    "key-frames-asked-in",
    "transport-feedback-out",
    "probe-packets-out",
    "data-messages-in",
    "data-messages-out",
    "handed-over",
    "posted-packets",
    "sessions-landed",
    "sessions-connected",
    "sessions-closed",
};

/// One shard's numbers since its start. Written by its thread; a reader on another thread takes a copy through the
/// driver.
struct ShardCounters {
  std::array<uint64_t, kCounters> counts{};
  std::array<uint64_t, kDropReasons> drops{};

  void add(Counter what, uint64_t n = 1) { counts[static_cast<size_t>(what)] += n; }
  void drop(DropReason why, uint64_t n = 1) { drops[static_cast<size_t>(why)] += n; }
  [[nodiscard]] uint64_t of(Counter what) const { return counts[static_cast<size_t>(what)]; }
  [[nodiscard]] uint64_t of(DropReason why) const { return drops[static_cast<size_t>(why)]; }
};

}  // namespace sluice
