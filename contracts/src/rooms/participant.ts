import { z } from 'zod';
import { Identity, ParticipantId, RoomId, RoomName, TrackId, trackSources } from '../ids.ts';

export const Permissions = z.strictObject({
  canPublish: z.boolean(),
  canSubscribe: z.boolean(),
  canPublishData: z.boolean(),
  /** Empty: every source. */
  canPublishSources: z.array(z.enum(trackSources)),
  canUpdateMetadata: z.boolean(),
  hidden: z.boolean(),
  recorder: z.boolean(),
});
export type Permissions = z.infer<typeof Permissions>;

export const videoQualities = ['low', 'medium', 'high'] as const;
export type VideoQuality = (typeof videoQualities)[number];

/** What subscribers have a use for: `off` is received, but nobody looks now. Audio is always `high`. Lowest first. */
export const wantedQualities = ['off', ...videoQualities] as const;
export type WantedQuality = (typeof wantedQualities)[number];

/** A track and the best quality of it that has a use, in the words of its own layer list. */
export const TrackWant = z.strictObject({ track: TrackId, quality: z.enum(wantedQualities) });
export type TrackWant = z.infer<typeof TrackWant>;

/** Wants that one participant says: more tracks than anyone receives at once. Those beyond it are not counted. */
export const MAX_WANTS = 1024;

export const connectionQualities = ['lost', 'poor', 'good', 'excellent'] as const;

/** How well media comes through. The score is an opinion score, 1 (bad) to 5; 0: there was nothing to judge by. */
export const ConnectionQuality = z.strictObject({
  quality: z.enum(connectionQualities),
  score: z.number().min(0).max(5),
});
export type ConnectionQuality = z.infer<typeof ConnectionQuality>;

export const VideoLayer = z.strictObject({
  quality: z.enum(videoQualities),
  widthPx: z.int().min(0),
  heightPx: z.int().min(0),
  bitrateBps: z.int().min(0),
  /** RID that carries it; empty when the track has one stream. */
  rid: z.string().max(16),
});
export type VideoLayer = z.infer<typeof VideoLayer>;

/** A published track as everyone in the room may know it. */
export const TrackView = z.strictObject({
  track: TrackId,
  kind: z.enum(['audio', 'video']),
  source: z.enum(trackSources),
  name: z.string().max(256),
  muted: z.boolean(),
  widthPx: z.int().min(0),
  heightPx: z.int().min(0),
  /** `video/VP8`, `audio/opus`, or `audio/red`. */
  mimeType: z.string().max(64),
  simulcast: z.boolean(),
  layers: z.array(VideoLayer).max(16),
  stereo: z.boolean(),
  disableDtx: z.boolean(),
  disableRed: z.boolean(),
  encryption: z.enum(['none', 'gcm', 'custom']),
  /** Groups tracks that play in sync. */
  stream: z.string().max(256),
  /** The client protocol's numbers for capture features, passed through. */
  audioFeatures: z.array(z.int()),
});
export type TrackView = z.infer<typeof TrackView>;

export const participantKinds = ['standard', 'ingress', 'egress', 'sip', 'agent', 'connector', 'bridge'] as const;

/** Everything about a participant but what only the controller decides. */
const participantFields = {
  participant: ParticipantId,
  identity: Identity,
  name: z.string().max(256),
  metadata: z.string().max(512 * 1024),
  attributes: z.record(z.string(), z.string()),
  kind: z.enum(participantKinds),
  permissions: Permissions,
  tracks: z.array(TrackView).max(256),
  /** Its primary peer connection is up. */
  active: z.boolean(),
  /** Capabilities that peers look at before they use newer forms of data streams and RPC. */
  clientProtocol: z.int().min(0),
  capabilities: z.array(z.int()),
  /** What it lets others subscribe to. */
  subscriptionPermission: z.strictObject({
    allParticipants: z.boolean(),
    trackPermissions: z.array(
      z.strictObject({
        participant: z.string(),
        identity: z.string(),
        allTracks: z.boolean(),
        tracks: z.array(z.string()),
      }),
    ),
  }),
  speaking: z.strictObject({ active: z.boolean(), level: z.number().min(0).max(1) }),
  /** Absent until a node has measured it. */
  connection: ConnectionQuality.optional(),
};

export const leaveReasons = [
  'client-initiated',
  'duplicate-identity',
  'server-shutdown',
  'participant-removed',
  'room-deleted',
  'state-mismatch',
  'join-failure',
  'signal-close',
  'room-closed',
  'connection-timeout',
  'media-failure',
  /** Never entered: the room holds as many as it may. */
  'room-full',
] as const;
export type LeaveReason = (typeof leaveReasons)[number];

/**
 * What a participant should be, said by whoever speaks for it (signaling, a gateway, a worker) to its room's
 * controller: the whole of it, each time. Key: the participant's sid.
 */
export const Intent = z.strictObject({
  roomName: RoomName,
  ...participantFields,
  /** When it first joined, in milliseconds since 1970. Orders two holders of one identity. */
  joinedAtMs: z.int().min(0),
  /**
   * The room as its speaker last saw it in a `RoomView`; absent before the first. A controller that takes over goes on
   * with it, so that the room's sid outlives its controllers.
   */
  known: z.strictObject({ room: RoomId, createdAtMs: z.int().min(0) }).optional(),
  /** Tracks of others that it receives. */
  wants: z.array(TrackWant).max(MAX_WANTS).default([]),
  /** Set once, at the end: it has left, and why. */
  left: z.enum(leaveReasons).optional(),
});
export type Intent = z.infer<typeof Intent>;

/** A participant as its room's controller shows it to everyone. */
export const ParticipantView = z.strictObject({
  ...participantFields,
  joinedAtMs: z.int().min(0),
  /** Those of its tracks that anyone in the room receives, each with the best quality that anyone has a use for. */
  wanted: z.array(TrackWant).max(256).default([]),
  /** Grows with each change that clients should hear of; never falls, whoever the controller is. */
  version: z.int().min(1),
  /** Set: gone, and why. Stays in the view long enough for every reader to have seen it. */
  left: z.enum(leaveReasons).optional(),
});
export type ParticipantView = z.infer<typeof ParticipantView>;

export const RoomInfo = z.strictObject({
  room: RoomId,
  roomName: RoomName,
  metadata: z.string(),
  createdAtMs: z.int().min(0),
  emptyTimeoutS: z.int().min(0),
  departureTimeoutS: z.int().min(0),
  /** 0: no limit. */
  maxParticipants: z.int().min(0),
  numParticipants: z.int().min(0),
  numPublishers: z.int().min(0),
});
export type RoomInfo = z.infer<typeof RoomInfo>;

/** What one `RoomView` carries at most: keeps a document well below what buses pass (NATS: 1 MiB by default). */
export const MAX_PARTICIPANTS_PER_PART = 256;

/**
 * The room as it is. A complete view replaces all; a partial one carries only what changed since generation `since`
 * of the same epoch, and a reader that has not that generation asks for it to be said again. Large ones come in
 * several parts under one generation. Key: the room's name. `RoomViewReader` puts it together.
 */
export const RoomView = z.strictObject({
  info: RoomInfo,
  complete: z.boolean(),
  /** Generation this one builds on; 0 when complete. */
  since: z.int().min(0),
  /** Which of `parts` this is, from 0. */
  part: z.int().min(0),
  parts: z.int().min(1).max(1024),
  participants: z.array(ParticipantView).max(MAX_PARTICIPANTS_PER_PART),
  /** Participants that left so long ago that they are no longer shown; only in partial views. */
  forgotten: z.array(ParticipantId),
});
export type RoomView = z.infer<typeof RoomView>;
