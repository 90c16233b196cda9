import type {
  Intent,
  LeaveReason,
  ParticipantId,
  RandomBytes,
  RoomChange,
  SessionId,
  SessionStatus,
  SiteName,
} from '@sluice/contracts';
import type { ConnectRequest } from '../messages/connect-request.ts';
import type { ServerPlace } from '../messages/greetings.ts';
import type { ClientMessage } from '../messages/wire.ts';
import type { NegotiationOptions, SiteTransport } from '../negotiation/index.ts';
import type { HttpRefusal } from '../ports.ts';
import type { Claims, Grants } from '../tokens/claims.ts';
import type { Rate } from './message-budget.ts';
import type { Room } from './room-news.ts';
import type { SelfLimits } from './self.ts';
import type { TransportSink } from './transports.ts';

/** What goes into a session, and what comes out of it. */

export type SessionInput =
  | { readonly type: 'message'; readonly message: ClientMessage }
  /** A frame that was no message. */
  | { readonly type: 'malformed'; readonly what: string }
  | { readonly type: 'link-lost' }
  /** The client is back on a new link. */
  | { readonly type: 'resume'; readonly request: ConnectRequest }
  | { readonly type: 'room'; readonly change: RoomChange }
  | { readonly type: 'status'; readonly status: SessionStatus }
  /** How the site is reached became known, or changed. */
  | { readonly type: 'site'; readonly site: SiteTransport }
  | { readonly type: 'shutdown' }
  | { readonly type: 'deadline' };

export interface Now {
  readonly us: number;
  readonly unixMs: number;
}

/** Where a session's effects go. */
export interface SessionSink extends TransportSink {
  /** Before the first message: the client is not let in. */
  refuse(refusal: HttpRefusal): void;
  closeLink(): void;
  pauseLink(forUs: number): void;
  refreshToken(claims: Claims): void;
  sayIntent(intent: Intent): void;
  event(event: SessionEvent): void;
}

/** What operators may want to know of a session. */
export type SessionEvent =
  | { readonly type: 'joined' }
  | { readonly type: 'connected' }
  | { readonly type: 'resumed' }
  | { readonly type: 'link-lost' }
  | { readonly type: 'message-refused'; readonly why: 'rate' | 'malformed' | 'unknown' | 'unsupported' }
  /** The session is over; nothing comes after it. */
  | { readonly type: 'ended'; readonly reason: LeaveReason; readonly detail: string };

export interface SessionLimits extends SelfLimits {
  readonly messages: Rate;
  /** Of those without which a client can neither go on nor end. */
  readonly vitalMessages: Rate;
  readonly tracksPerParticipant: number;
  readonly wishesPerParticipant: number;
}

export interface SessionTimes {
  /** For the room and the site to be known. */
  readonly joinUs: number;
  /** For the primary peer connection to come up. */
  readonly setupUs: number;
  /** Without a socket while media is up. */
  readonly awayUs: number;
  /** After a transport failed. */
  readonly transportLostUs: number;
  readonly refreshTokenUs: number;
}

export interface SessionOptions {
  readonly participant: ParticipantId;
  readonly grants: Grants;
  readonly request: ConnectRequest;
  readonly room: Room;
  readonly site: SiteTransport | undefined;
  readonly siteName: SiteName;
  readonly place: ServerPlace;
  readonly limits: SessionLimits;
  readonly times: SessionTimes;
  readonly negotiation: Omit<NegotiationOptions, 'reuseSections'>;
  readonly random: RandomBytes;
  readonly makeSessionId: () => SessionId;
}
