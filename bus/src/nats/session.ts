import type { LeaseStore } from './leases.ts';

/** One connection to a NATS server, from its beginning to its end. `dial.ts` makes them with NATS' own library. */
export interface NatsSession {
  /** `host:port` of the server. */
  readonly server: string;
  /** Other servers of its cluster, as it told. */
  readonly others: readonly string[];
  /** The largest payload that the server takes. */
  readonly maxPayloadBytes: number;
  publish(subject: string, payload: Uint8Array): void;
  subscribe(subject: string, take: (payload: Uint8Array) => void): { unsubscribe(): void };
  /** The server has taken everything published before, and has given everything it had for us. */
  flush(): Promise<void>;
  readonly leases: LeaseStore;
  /** Resolves when the connection has ended, with what ended it. */
  readonly ended: Promise<string>;
  close(): Promise<void>;
}

/** Opens a connection to any of the servers, or rejects with what stood in the way. */
export type DialNats = (request: {
  /** Besides those of the configuration. */
  readonly moreServers: readonly string[];
  /** The server refused something on this connection, as a subject. */
  readonly refused: (what: string) => void;
}) => Promise<NatsSession>;
