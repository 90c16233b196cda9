import type { ConnectionQuality, NodeId, RoomId, SessionId, SessionSpec, SessionStatus } from '@sluice/contracts';
import type { PathSnapshot, SessionSnapshot } from '@sluice/packet-path';
import type { PacketPathPort } from '../ports.ts';

/** Snapshots asked for at once, and sessions of a room shown at most: whoever looks must not slow down media. */
const AT_ONCE = 25;
const MAX_SESSIONS_OF_ROOM = 500;

/** A session as this node knows it, without what lets others into it. */
export interface SessionSummary {
  readonly session: SessionId;
  readonly room: RoomId;
  readonly participant: SessionSpec['participant'];
  readonly identity: SessionSpec['identity'];
  readonly state: SessionStatus['state'] | 'waiting';
  readonly quality: ConnectionQuality | undefined;
}

/** What should be beside what is. */
export interface SessionDetail extends SessionSummary {
  readonly spec: Pick<SessionSpec, 'dtlsRole' | 'headerExtensions' | 'incoming' | 'outgoing' | 'data'>;
  /** undefined: it is not here. */
  readonly snapshot: SessionSnapshot | undefined;
}

export interface RoomDetail {
  readonly room: RoomId;
  readonly sessions: readonly SessionDetail[];
  /** Sessions of the room on this node; more than are shown in a large one. */
  readonly count: number;
}

export interface NodeDetail extends PathSnapshot {
  readonly node: NodeId;
  readonly sessions: number;
  readonly specs: number;
}

/** The sessions of a node and their specs. */
export interface SessionList {
  summaries(): Iterable<SessionSummary>;
  summary(session: SessionId): { readonly summary: SessionSummary; readonly spec: SessionSpec } | undefined;
  counts(): { readonly sessions: number; readonly specs: number };
}

/** Everything that a node can show of itself to whoever operates it. */
export class Inspection {
  readonly #node: NodeId;
  readonly #path: PacketPathPort;
  readonly #list: SessionList;

  constructor(node: NodeId, path: PacketPathPort, list: SessionList) {
    this.#node = node;
    this.#path = path;
    this.#list = list;
  }

  async node(): Promise<NodeDetail> {
    const { sessions, specs } = this.#list.counts();
    return { node: this.#node, sessions, specs, ...(await this.#path.snapshot()) };
  }

  /** Those that landed here. */
  sessions(): SessionSummary[] {
    return [...this.#list.summaries()].filter(({ state }) => state === 'landed' || state === 'connected');
  }

  /** Of any session of the site, here or not; undefined: there is none. */
  async session(session: SessionId): Promise<SessionDetail | undefined> {
    const known = this.#list.summary(session);
    if (known === undefined) return undefined;
    const { dtlsRole, headerExtensions, incoming, outgoing, data } = known.spec;
    const spec = { dtlsRole, headerExtensions, incoming, outgoing, ...(data === undefined ? {} : { data }) };
    return { ...known.summary, spec, snapshot: await this.#path.snapshot(session) };
  }

  async room(room: RoomId): Promise<RoomDetail> {
    const all = this.sessions().filter((one) => one.room === room);
    const sessions: SessionDetail[] = [];
    for (let from = 0; from < Math.min(all.length, MAX_SESSIONS_OF_ROOM); from += AT_ONCE) {
      const some = all.slice(from, Math.min(from + AT_ONCE, MAX_SESSIONS_OF_ROOM));
      const details = await Promise.all(some.map(({ session }) => this.session(session)));
      sessions.push(...details.filter((detail) => detail !== undefined));
    }
    return { room, sessions, count: all.length };
  }
}
