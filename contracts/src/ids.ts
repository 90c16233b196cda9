import { z } from 'zod';

/**
 * Ids of the control plane: made here, parsed here, branded so that one is never taken for another.
 * The prefixes of rooms, participants and tracks are part of the client protocol: SDKs look at them.
 */
type Branded<T extends string> = string & { readonly [brand]: T };
declare const brand: unique symbol;

export type RoomId = Branded<'RoomId'>;
export type RoomName = Branded<'RoomName'>;
export type ParticipantId = Branded<'ParticipantId'>;
export type Identity = Branded<'Identity'>;
export type TrackId = Branded<'TrackId'>;
export type SessionId = Branded<'SessionId'>;
export type NodeId = Branded<'NodeId'>;
export type SiteName = Branded<'SiteName'>;
/** Names one run of one writer process; a new run gets a new one. */
export type WriterId = Branded<'WriterId'>;

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^12 ≈ 2^71: no two rooms, participants or tracks of a cloud meet by chance. */
const RANDOM_CHARACTERS = 12;

/** Gives `bytes` random bytes. Cores take it as a parameter; `runtime` has the real one. */
export type RandomBytes = (bytes: number) => Uint8Array;

/** `length` characters of base62 from `random`, without modulo bias. */
export function randomBase62(random: RandomBytes, length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(length * 2)) {
      // 248 = 4 · 62: bytes above it would favour the first characters.
      if (byte < 248 && text.length < length) text += BASE62.charAt(byte % 62);
    }
  }
  return text;
}

const make = (prefix: string, random: RandomBytes): string => `${prefix}${randomBase62(random, RANDOM_CHARACTERS)}`;

export const makeRoomId = (random: RandomBytes): RoomId => make('RM_', random) as RoomId;
export const makeParticipantId = (random: RandomBytes): ParticipantId => make('PA_', random) as ParticipantId;
export const makeSessionId = (random: RandomBytes): SessionId => make('SE_', random) as SessionId;
export const makeNodeId = (random: RandomBytes): NodeId => make('ND_', random) as NodeId;
export const makeWriterId = (random: RandomBytes): WriterId => make('WR_', random) as WriterId;

/** A track's sid: `TR_`, a letter for its kind and one for its source, as clients are used to seeing them. */
export function makeTrackId(kind: 'audio' | 'video', source: TrackSource, random: RandomBytes): TrackId {
  const sources = { unknown: 'U', camera: 'C', microphone: 'M', 'screen-share': 'S', 'screen-share-audio': 's' };
  return make(`TR_${kind === 'audio' ? 'A' : 'V'}${sources[source]}`, random) as TrackId;
}

export const trackSources = ['unknown', 'camera', 'microphone', 'screen-share', 'screen-share-audio'] as const;
export type TrackSource = (typeof trackSources)[number];

const id = <T extends string>(prefix: string): z.ZodType<T, string> =>
  z
    .string()
    .max(64)
    .regex(new RegExp(`^${prefix}[0-9A-Za-z]+$`), { error: `must be an id that begins with ${prefix}` })
    .transform((text) => text as T);

const name = <T extends string>(maxLength: number): z.ZodType<T, string> =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .transform((text) => text as T);

export const RoomId = id<RoomId>('RM_');
export const ParticipantId = id<ParticipantId>('PA_');
export const TrackId = id<TrackId>('TR_');
export const SessionId = id<SessionId>('SE_');
export const NodeId = id<NodeId>('ND_');
export const WriterId = id<WriterId>('WR_');
/** A room's name, chosen by people; at most 256 characters. */
export const RoomName = name<RoomName>(256);
/** A participant's identity, from its token; at most 256 characters. */
export const Identity = name<Identity>(256);
/** A site's name, as in configuration: `fra`, `local`. */
export const SiteName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
    error: 'must be lower-case letters, digits and hyphens, at most 63 characters',
  })
  .transform((text) => text as SiteName);
