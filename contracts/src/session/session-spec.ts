import { z } from 'zod';
import { Identity, ParticipantId, RoomId, SessionId, SiteName, TrackId } from '../ids.ts';
import { videoQualities } from '../rooms/participant.ts';
import { type HeaderExtensionKind, headerExtensionKinds } from './header-extensions.ts';

/**
 * What a session should be: everything a media node must know of one peer connection, chosen by the session's owner
 * alone. Any node of the site can hold the session with nothing but this document.
 */

const PayloadType = z.int().min(0).max(127);
const Ssrc = z.int().min(1).max(0xffff_ffff);
const Mid = z.string().max(16);

export const codecNames = ['opus', 'red', 'pcmu', 'pcma', 'vp8', 'vp9', 'h264', 'h265', 'av1', 'other'] as const;

export const CodecSpec = z.strictObject({
  payloadType: PayloadType,
  codec: z.enum(codecNames),
  clockRateHz: z.int().min(1).max(1_000_000),
  /** RFC 4588 */
  rtxPayloadType: PayloadType.optional(),
  /** Tells apart formats of one codec (H.264 profile and packetization mode, VP9 profile); equal text, same format. */
  profile: z.string().max(64),
});
export type CodecSpec = z.infer<typeof CodecSpec>;

export const IncomingStreamSpec = z.strictObject({
  ssrc: Ssrc.optional(),
  rtxSsrc: Ssrc.optional(),
  /** RFC 8852; empty: none. */
  rid: z.string().max(16),
});
export type IncomingStreamSpec = z.infer<typeof IncomingStreamSpec>;

const mediaKind = z.enum(['audio', 'video']);

/** A track that this session's client publishes. */
export const IncomingTrackSpec = z.strictObject({
  track: TrackId,
  kind: mediaKind,
  mid: Mid,
  codecs: z.array(CodecSpec).max(64),
  /** What the SDP named: SSRCs, RIDs, or neither (then packets are found by MID). */
  streams: z.array(IncomingStreamSpec).max(16),
  /** Ask for lost packets (RFC 4585 generic NACK). */
  nack: z.boolean(),
  /** Transport-wide feedback was negotiated. */
  transportCc: z.boolean(),
});
export type IncomingTrackSpec = z.infer<typeof IncomingTrackSpec>;

/** What a subscriber has a use for of a video track: the limit for layers, and what to weigh when bandwidth is short. */
export const TrackWish = z.strictObject({
  /**
   * The best spatial layer that has a use: `low` is the track's lowest, `high` its highest however many it has, and
   * `medium` the second of three.
   */
  quality: z.enum(videoQualities),
  /** 0: as many as there are. */
  maxFps: z.int().min(0).max(240),
  /** As the client protocol counts: 1 goes first, larger ones later; 0: the node decides. */
  priority: z.int().min(0).max(65_535),
  /** How large it is shown; 0: unknown. */
  widthPx: z.int().min(0).max(65_535),
  heightPx: z.int().min(0).max(65_535),
  /** It may be held back while the network does not carry it; else its lowest layer is sent all the same. */
  mayPause: z.boolean(),
});
export type TrackWish = z.infer<typeof TrackWish>;

/** A track that this session's client receives. */
export const OutgoingTrackSpec = z.strictObject({
  track: TrackId,
  kind: mediaKind,
  mid: Mid,
  ssrc: Ssrc,
  rtxSsrc: Ssrc.optional(),
  codecs: z.array(CodecSpec).max(64),
  paused: z.boolean(),
  /** Absent: everything there is of it, as with audio. */
  wish: TrackWish.optional(),
});
export type OutgoingTrackSpec = z.infer<typeof OutgoingTrackSpec>;

export const IceCredentials = z.strictObject({
  /** RFC 8839 §5.4: 4 to 256 ice-chars. */
  usernameFragment: z.string().min(4).max(256),
  password: z.string().min(22).max(256),
});
export type IceCredentials = z.infer<typeof IceCredentials>;

export const Fingerprint = z.strictObject({
  algorithm: z.enum(['sha-256', 'sha-384', 'sha-512']),
  /** Upper-case hex bytes with colons, as in SDP (RFC 8122 §5). */
  value: z.string().regex(/^[0-9A-F]{2}(:[0-9A-F]{2})*$/),
});
export type Fingerprint = z.infer<typeof Fingerprint>;

export const DataChannelSpec = z.strictObject({
  label: z.string().max(1024),
  protocol: z.string().max(1024),
  ordered: z.boolean(),
  maxRetransmits: z.int().min(0).max(65_535).optional(),
  maxPacketLifeTimeMs: z.int().min(0).max(65_535).optional(),
  /** Set: agreed without DCEP on this stream (RFC 8832 §1). */
  streamId: z.int().min(0).max(65_534).optional(),
  /** true: this side opens it by DCEP. */
  open: z.boolean(),
});
export type DataChannelSpec = z.infer<typeof DataChannelSpec>;

/** The session's place in its room's data channels. */
export const DataSpec = z.strictObject({
  sctpPort: z.int().min(1).max(65_535),
  remoteMaxMessageBytes: z.int().min(0).max(0xffff_ffff),
  /** Blank the sender's sid and identity in what this client sends. */
  hidden: z.boolean(),
  /** This client's messages go to the room. */
  publish: z.boolean(),
  /** The room's messages go to this client. */
  receive: z.boolean(),
  channels: z.array(DataChannelSpec).max(64),
});
export type DataSpec = z.infer<typeof DataSpec>;

export const SessionSpec = z.strictObject({
  site: SiteName,
  session: SessionId,
  room: RoomId,
  participant: ParticipantId,
  identity: Identity,
  /** Newest first. Older ones stay valid for checks while an ICE restart settles (RFC 8445 §9). */
  localCredentials: z.array(IceCredentials).min(1).max(4),
  /** Absent until the client's description is known. */
  remoteCredentials: IceCredentials.optional(),
  /** Our DTLS role: server is `a=setup:passive`. */
  dtlsRole: z.enum(['server', 'client']),
  /** Of the client's certificate; empty until its description is known, and no media flows before. */
  remoteFingerprints: z.array(Fingerprint).max(8),
  /** Wire ids of the header extensions; bundled sections share them (RFC 9143 §8.1). */
  headerExtensions: z
    .array(
      z.strictObject({
        kind: z.enum(headerExtensionKinds as [HeaderExtensionKind, ...HeaderExtensionKind[]]),
        id: z.int().min(1).max(255),
      }),
    )
    .max(32),
  incoming: z.array(IncomingTrackSpec).max(256),
  outgoing: z.array(OutgoingTrackSpec).max(4096),
  data: DataSpec.optional(),
});
export type SessionSpec = z.infer<typeof SessionSpec>;
