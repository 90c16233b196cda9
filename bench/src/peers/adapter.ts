import type { Publishing, RoomClientPorts } from '@sluice/load-tester';

/** A server that can be measured beside others: one file that knows how to start it, and how clients come in. */
export interface PeerAdapter {
  readonly name: string;
  /** Why it cannot run on this machine, and what to do about it; undefined: it can. */
  missing(): string | undefined;
  start(place: Place): Promise<RunningPeer>;
}

/** Where a server runs, and what its clients are made of. */
export interface Place {
  /** The one core that it gets. */
  readonly cpu: number;
  /** Empty, its own, and removed afterwards. */
  readonly folder: string;
  /** Clients' ends are the same for every server: real ICE, DTLS and SRTP on threads of the load. */
  readonly clients: ClientPorts;
}

export type ClientPorts = Omit<RoomClientPorts, 'dial'>;

export interface Member {
  readonly room: string;
  readonly identity: string;
  /** What it sends, by name. */
  readonly publishes: Readonly<Record<string, Publishing>>;
  /** Receives everything that others publish in its room. */
  readonly receives: boolean;
}

export interface RunningPeer {
  readonly pid: number;
  readonly version: string;
  /** What a reader must know to compare: how it is configured, what it cannot do. */
  readonly notes: readonly string[];
  /** Resolves when the client's media is up; rejects when that does not come. */
  join(member: Member): Promise<void>;
  /** Everybody is in: who asks for streams by name does so now. */
  subscribe(): Promise<void>;
  /** Ends the process, and waits for it. */
  stop(): Promise<void>;
}
