import { type Identity, type Permissions, participantKinds, type RoomName } from '@sluice/contracts';
import { z } from 'zod';

/**
 * The claims of an access token, under the names they have on the wire. Unknown ones are kept: a refreshed token says
 * everything that the first one said.
 */

/** The sources a token may name, as tokens write them. */
const sourceNames = {
  camera: 'camera',
  microphone: 'microphone',
  screen_share: 'screen-share',
  screen_share_audio: 'screen-share-audio',
} as const;
type SourceName = keyof typeof sourceNames;

const isSourceName = (text: string): text is SourceName => Object.hasOwn(sourceNames, text);

export const VideoGrant = z.looseObject({
  roomCreate: z.boolean().optional(),
  roomList: z.boolean().optional(),
  roomRecord: z.boolean().optional(),
  roomAdmin: z.boolean().optional(),
  roomJoin: z.boolean().optional(),
  room: z.string().max(256).optional(),
  /** Absent: allowed. */
  canPublish: z.boolean().optional(),
  /** Absent: allowed. */
  canSubscribe: z.boolean().optional(),
  /** Absent: as `canPublish`. */
  canPublishData: z.boolean().optional(),
  /** Absent or empty: every source. */
  canPublishSources: z.array(z.string().toLowerCase()).max(16).optional(),
  canUpdateOwnMetadata: z.boolean().optional(),
  ingressAdmin: z.boolean().optional(),
  hidden: z.boolean().optional(),
  recorder: z.boolean().optional(),
  agent: z.boolean().optional(),
  canSubscribeMetrics: z.boolean().optional(),
  canManageAgentSession: z.boolean().optional(),
  destinationRoom: z.string().max(256).optional(),
});
export type VideoGrant = z.infer<typeof VideoGrant>;

const Seconds = z.number().min(0);

export const Claims = z.looseObject({
  /** The API key. */
  iss: z.string().min(1),
  /** The identity; very old tokens have it in `jti`. */
  sub: z.string().max(256).optional(),
  jti: z.string().max(256).optional(),
  exp: Seconds,
  nbf: Seconds.optional(),
  name: z.string().max(256).optional(),
  metadata: z
    .string()
    .max(512 * 1024)
    .optional(),
  attributes: z.record(z.string(), z.string()).optional(),
  kind: z.string().optional(),
  kindDetails: z.array(z.string()).optional(),
  sha256: z.string().optional(),
  roomPreset: z.string().optional(),
  roomConfig: z.looseObject({}).optional(),
  video: VideoGrant.optional(),
  sip: z.looseObject({ admin: z.boolean().optional(), call: z.boolean().optional() }).optional(),
  agent: z.looseObject({ admin: z.boolean().optional() }).optional(),
  inference: z.looseObject({ perform: z.boolean().optional() }).optional(),
  observability: z.looseObject({ write: z.boolean().optional() }).optional(),
});
export type Claims = z.infer<typeof Claims>;

type ParticipantKind = (typeof participantKinds)[number];

/** What a verified token says of someone who wants to join a room. */
export interface Grants {
  readonly apiKey: string;
  readonly room: RoomName;
  readonly identity: Identity;
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly kind: ParticipantKind;
  readonly permissions: Permissions;
  readonly expiresAtS: number;
  /** All of it, for the token that replaces this one. */
  readonly claims: Claims;
}

export type JoinGrants =
  | { readonly ok: true; readonly grants: Grants }
  | { readonly ok: false; readonly reason: 'no-room-join' | 'no-identity' | 'no-room' };

/** The grants of someone whose token lets them join a room, or why it does not. */
export function joinGrants(claims: Claims): JoinGrants {
  const video = claims.video ?? {};
  if (video.roomJoin !== true) return { ok: false, reason: 'no-room-join' };
  const identity = claims.sub || claims.jti || '';
  if (identity === '') return { ok: false, reason: 'no-identity' };
  if (video.room === undefined || video.room === '') return { ok: false, reason: 'no-room' };
  return {
    ok: true,
    grants: {
      apiKey: claims.iss,
      room: video.room as RoomName,
      identity: identity as Identity,
      name: claims.name ?? '',
      metadata: claims.metadata ?? '',
      attributes: claims.attributes ?? {},
      kind: participantKinds.find((kind) => kind === claims.kind?.toLowerCase()) ?? 'standard',
      permissions: permissionsOf(video),
      expiresAtS: claims.exp,
      claims,
    },
  };
}

/** What a participant may do by its token, until the controller says otherwise. */
export function permissionsOf(video: VideoGrant): Permissions {
  const canPublish = video.canPublish ?? true;
  return {
    canPublish,
    canSubscribe: video.canSubscribe ?? true,
    canPublishData: video.canPublishData ?? canPublish,
    canPublishSources: (video.canPublishSources ?? []).filter(isSourceName).map((source) => sourceNames[source]),
    canUpdateMetadata: video.canUpdateOwnMetadata ?? false,
    hidden: video.hidden ?? false,
    recorder: video.recorder ?? false,
  };
}

/** The claims that say what the participant holds now, permission changes included. */
export function claimsFor(grants: Grants, participant: ParticipantNow): Claims {
  const { permissions } = participant;
  const names = Object.entries(sourceNames);
  return {
    ...grants.claims,
    name: participant.name,
    metadata: participant.metadata,
    attributes: { ...participant.attributes },
    video: {
      ...grants.claims.video,
      canPublish: permissions.canPublish,
      canSubscribe: permissions.canSubscribe,
      canPublishData: permissions.canPublishData,
      canPublishSources: permissions.canPublishSources.flatMap((source) =>
        names.filter(([, ours]) => ours === source).map(([name]) => name),
      ),
      canUpdateOwnMetadata: permissions.canUpdateMetadata,
      hidden: permissions.hidden,
      recorder: permissions.recorder,
    },
  };
}

/** The part of a participant that a refreshed token repeats. */
export interface ParticipantNow {
  readonly name: string;
  readonly metadata: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly permissions: Permissions;
}
