import type { Intent, SessionId, SessionSpec } from '@sluice/contracts';
import type { ServerMessage } from './messages/wire.ts';
import type { Claims } from './tokens/claims.ts';

/** What the sessions need from the world. */

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

/** Why a client was not let in, as browsers' `validate` requests and other SDKs read it. */
export interface HttpRefusal {
  readonly status: 400 | 401 | 403 | 404 | 426 | 429 | 431 | 500 | 503;
  /** For people. Never holds "requested room does not exist" unless that is so: SDKs look for it. */
  readonly text: string;
}

/** The documents that signaling writes. */
export interface DocumentSink {
  sayIntent(intent: Intent): void;
  saySpec(spec: SessionSpec): void;
  dropSpec(session: SessionId): void;
}

/** Signs a refreshed token with the key that signed the first one. */
export interface TokenSigner {
  /** Undefined when the key is no longer configured. */
  sign(claims: Claims): Promise<string> | undefined;
}
