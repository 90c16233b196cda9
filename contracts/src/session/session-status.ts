import { z } from 'zod';
import { NodeId, RoomId, SessionId, TrackId } from '../ids.ts';
import { ConnectionQuality } from '../rooms/participant.ts';

export const sessionStates = ['landed', 'connected', 'closed'] as const;

export const closeReasons = [
  'dropped',
  'consent-expired',
  'setup-timeout',
  'dtls-failed',
  'dtls-closed',
  'sctp-failed',
] as const;

/** What a session is, said by the node that holds it. Advisory: no client waits for it. */
export const SessionStatus = z.strictObject({
  session: SessionId,
  room: RoomId,
  node: NodeId,
  state: z.enum(sessionStates),
  /** Why, when `state` is closed. */
  closeReason: z.enum(closeReasons).optional(),
  /** Incoming tracks whose packets have been seen. */
  startedTracks: z.array(TrackId),
  /** Highest reliable data sequence received from this client; 0 before any. May lag, never runs ahead. */
  lastDataSequence: z.int().min(0),
  /** Loudness of its incoming audio tracks, as last changed: linear, 0 to 1. */
  audio: z.array(z.strictObject({ track: TrackId, active: z.boolean(), level: z.number().min(0).max(1) })),
  /** How well media comes through, both ways; said at most every 5 s, when it changed. Absent until measured. */
  quality: ConnectionQuality.optional(),
  /** Outgoing tracks that the node holds back because the client's network does not carry them. */
  pausedTracks: z.array(TrackId).max(4096).default([]),
});
export type SessionStatus = z.infer<typeof SessionStatus>;
