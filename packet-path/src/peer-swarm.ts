import type { ManualPeerOptions, PeerEvent, PeerTransport, SendResult } from './manual-peer.ts';
import {
  loadAddon,
  type NativeConditions,
  type NativePeerSwarm,
  type SwarmThreadReport,
  type SwarmTotals,
} from './native.ts';
import type { Identity } from './options.ts';
import { attempt } from './packet-path.ts';
import type { PeerMedia, PeerMediaReport } from './peer-media.ts';

export interface PeerSwarmOptions {
  readonly threads: number;
  /** The certificate that all of them show. */
  readonly identity: Identity;
  readonly seed: number;
  /** So many events were lost because this thread did not take them in time. */
  readonly onEventsLost: (count: number) => void;
}

/** One direction of a network that is made bad in user space. What is left out is perfect. */
export interface NetworkConditions {
  /** 0 to 1. */
  readonly loss?: number;
  readonly delayMs?: number;
  /** Standard deviation of the delay that is added. */
  readonly jitterMs?: number;
  readonly rateBps?: number;
}

export interface SwarmPeerOptions extends Omit<ManualPeerOptions, 'identity' | 'seed' | 'onDatagram'> {
  /** From it, and to it. */
  readonly up: NetworkConditions;
  readonly down: NetworkConditions;
}

/** Clients' ends of sessions on native threads, each with a socket of its own: for load tests. Holds the process open. */
export class PeerSwarm {
  readonly #native: NativePeerSwarm;
  readonly #listeners = new Map<number, (event: PeerEvent) => void>();

  constructor({ threads, identity, seed, onEventsLost }: PeerSwarmOptions) {
    this.#native = attempt(
      () =>
        new (loadAddon().PeerSwarm)({ threads, seed, ...identity }, (events, lost) => {
          for (const { id, event } of events) this.#listeners.get(id)?.(event);
          if (lost > 0) onEventsLost(lost);
        }),
    );
  }

  /** It begins at once. */
  add({ onEvent, up, down, ...options }: SwarmPeerOptions): SwarmPeer {
    const id = attempt(() => this.#native.add({ ...options, up: native(up), down: native(down) }));
    this.#listeners.set(id, onEvent);
    return new SwarmPeer(this.#native, id, () => this.#listeners.delete(id));
  }

  /** Of all clients that are there. */
  totals(): SwarmTotals {
    return attempt(() => this.#native.totals());
  }

  threads(): readonly SwarmThreadReport[] {
    return attempt(() => this.#native.threads());
  }

  /** On the clock of its reports' moments. */
  nowUs(): number {
    return attempt(() => this.#native.now());
  }

  /** All of them are gone without a word. */
  close(): void {
    this.#listeners.clear();
    this.#native.close();
  }
}

/** A swarm's client. Once removed, it does nothing any more. */
export class SwarmPeer {
  readonly #native: NativePeerSwarm;
  readonly #id: number;
  readonly #forget: () => void;

  constructor(native: NativePeerSwarm, id: number, forget: () => void) {
    this.#native = native;
    this.#id = id;
    this.#forget = forget;
  }

  restart(transport: PeerTransport): void {
    attempt(() => this.#native.restart(this.#id, transport));
  }

  setMedia(media: PeerMedia): void {
    attempt(() => this.#native.setMedia(this.#id, media));
  }

  send(streamId: number, kind: 'string' | 'binary', bytes: Uint8Array): SendResult {
    return attempt(() => this.#native.send(this.#id, streamId, kind, bytes));
  }

  mediaReport(): PeerMediaReport | undefined {
    return attempt(() => this.#native.mediaReport(this.#id));
  }

  remove(how: 'goodbye' | 'without-a-word'): void {
    this.#forget();
    attempt(() => this.#native.remove(this.#id, how === 'goodbye'));
  }
}

const PARTS_PER_MILLION = 1_000_000;

const native = ({ loss = 0, delayMs = 0, jitterMs = 0, rateBps = 0 }: NetworkConditions): NativeConditions => ({
  lossPpm: Math.round(loss * PARTS_PER_MILLION),
  delayMs: Math.round(delayMs),
  jitterMs: Math.round(jitterMs),
  rateBps: Math.round(rateBps),
});
