import type { SessionDescription } from '@livekit/protocol';
import type {
  Identity,
  ParticipantId,
  Permissions,
  RoomId,
  SessionId,
  SessionSpec,
  SiteName,
  TrackId,
} from '@sluice/contracts';
import type { ServerMessage } from '../messages/wire.ts';
import type {
  NegotiatedSpec,
  NegotiationOptions,
  PendingTrack,
  SiteTransport,
  WantedTrack,
} from '../negotiation/index.ts';
import type { RefusalReason } from '../negotiation/refusal.ts';
import type { Settled } from './publishing.ts';

/** Whose peer connections they are. */
export interface TransportOwner {
  readonly site: SiteName;
  readonly room: RoomId;
  readonly participant: ParticipantId;
  readonly identity: Identity;
}

export interface TransportOptions {
  readonly owner: TransportOwner;
  readonly permissions: Permissions;
  readonly negotiation: NegotiationOptions;
  readonly makeSessionId: () => SessionId;
}

/** Where transports' effects go. */
export interface TransportSink {
  /** To the client; lost while it is away. */
  send(message: ServerMessage): void;
  saySpec(spec: SessionSpec): void;
  dropSpec(session: SessionId): void;
}

/** What happened inside while a call was handled, beside what went to the sink. */
export interface TransportOutcome extends Settled {
  /** Tracks whose codec the client has not. */
  readonly unsupported: readonly TrackId[];
}

export type TransportResult =
  | { readonly ok: true; readonly outcome: TransportOutcome }
  | { readonly ok: false; readonly reason: RefusalReason; readonly detail: string };

/**
 * The peer connections of one client: one that both publishes and subscribes, or one for each. They write SDP and specs
 * and wait for nobody.
 */
export interface Transports {
  /** The one whose connection makes the participant active. */
  readonly primary: SessionId;
  readonly sessions: readonly SessionId[];
  /** Tracks that the client is to receive now. */
  readonly subscribed: ReadonlySet<TrackId>;
  /** The client is there and has heard `join`. */
  start(turn: TransportTurn): void;
  takeOffer(offer: SessionDescription, pending: readonly PendingTrack[], turn: TransportTurn): TransportResult;
  takeAnswer(answer: SessionDescription, turn: TransportTurn): TransportResult;
  /** The tracks the client should have; tells those whose codec it has not. */
  want(wanted: readonly WantedTrack[], turn: TransportTurn): readonly TrackId[];
  /** The client is away: nothing is offered until it resumes. */
  pause(): void;
  /** It is back, and restarts ICE. */
  resume(turn: TransportTurn): void;
  /** Ends a publication from our side. */
  revoke(track: TrackId, out: TransportSink): void;
  setPermissions(permissions: Permissions, out: TransportSink): void;
  /** When a description of the client's is overdue; undefined while none is awaited. */
  readonly overdueUs: number | undefined;
  /** The sessions are no more. */
  drop(out: TransportSink): void;
}

/** What every call that may write a description needs. */
export interface TransportTurn {
  readonly site: SiteTransport;
  readonly nowUs: number;
  readonly out: TransportSink;
}

/** A client that has not answered by then never will; the stock server waits as long. */
export const ANSWER_WITHIN_US = 15_000_000;

export const nothingSettled: Settled = { published: [], unpublished: [], unpublishable: [] };

/** Who may say what to whom over a session's data channels. */
export interface DataRights {
  readonly hidden: boolean;
  readonly publish: boolean;
  readonly receive: boolean;
}

/** The whole spec of one session, out of what was negotiated and whose it is. */
export function sessionSpec(
  session: SessionId,
  owner: TransportOwner,
  negotiated: NegotiatedSpec,
  rights: DataRights,
): SessionSpec {
  const { data, ...transport } = negotiated;
  return { ...owner, session, ...transport, ...(data === undefined ? {} : { data: { ...data, ...rights } }) };
}
