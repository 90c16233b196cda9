import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Intent, SessionId, SessionSpec } from '@sluice/contracts';
import type { Clock, Logger, RandomBytes } from '@sluice/runtime';
import type { ClientMessage, ServerMessage } from './messages/wire.ts';
import type { Claims } from './tokens/claims.ts';

/** What the sessions need from the world. */
export interface SignalingPorts {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly documents: DocumentSink;
  readonly tokens: TokenSigner;
  readonly counters: SessionCounters;
}

/** A client's open connection. Its first message opens it; until then it can be refused. */
export interface ClientLink {
  send(message: ServerMessage): void;
  /** Answers the client's request with an HTTP status instead of opening the connection. */
  refuse(refusal: HttpRefusal): void;
  /** Ends it once everything sent has gone out. Says no goodbye: that is a message. */
  close(): void;
  /** Reads nothing more for so long: the client is too fast. */
  pause(forUs: number): void;
}

/** The other end of a link: what the client says. Nothing comes after `closed`. */
export interface ClientInput {
  message(message: ClientMessage): void;
  /** A frame that was no message. */
  malformed(what: string): void;
  closed(): void;
}

/** Why a client was not let in, as browsers' `validate` requests and other SDKs read it. */
export interface HttpRefusal {
  readonly status: 400 | 401 | 403 | 404 | 426 | 431 | 500 | 503;
  /** For people. Never holds "requested room does not exist" unless that is so: SDKs look for it. */
  readonly text: string;
}

/** The documents that signaling writes. An intent that says `left` is its participant's last. */
export interface DocumentSink {
  sayIntent(intent: Intent): void;
  saySpec(spec: SessionSpec): void;
  dropSpec(session: SessionId): void;
}

export interface TokenSigner {
  /** A token with these claims that is good for a while, under the key that signed the first one; undefined: it is gone. */
  refresh(claims: Claims): Promise<string | undefined>;
}

/** Numbers of the sessions, for operators. */
export interface SessionCounters {
  joined(afterUs: number): void;
  connected(afterUs: number): void;
  resumed(how: 'resumed' | 'refused'): void;
  refused(status: number): void;
  messageRefused(why: string): void;
  ended(reason: string): void;
}

/** Answers requests that are none of signaling's, as for a web page; false: this one is not its own either. */
export type Pages = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What HTTP shows to prove its name. */
export interface TlsIdentity {
  readonly certificatePem: string;
  readonly keyPem: string;
}
