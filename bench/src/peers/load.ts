import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { swarmPeers } from '@sluice/load-tester';
import { generateIdentity, PeerSwarm, type SwarmTotals } from '@sluice/packet-path';
import { systemClock, systemRandom } from '@sluice/runtime';
import { fingerprintOf } from '../certificate.ts';
import type { ClientPorts, Member, RunningPeer } from './adapter.ts';

/** Certificates are valid from a little before now. */
const BACKDATED_S = 3_600;
const CERTIFICATE_DAYS = 30;
const JOINING_AT_ONCE = 16;
const FLOW_WITHIN_MS = 30_000;

/** What the clients, all of them on one thread, saw between two moments. */
export interface Span {
  readonly seconds: number;
  /** Packets that publishers sent. */
  readonly sent: number;
  readonly received: number;
  /** Gaps in the streams, before repair. */
  readonly lost: number;
  readonly recovered: number;
  readonly delayP50Us: number;
  readonly delayP99Us: number;
  /** Share of its core that the load's thread used: near 1, it measures itself. */
  readonly load: number;
  /** Datagrams that the clients' own sockets dropped, for want of time to read them. */
  readonly dropped: number;
}

/** The clients of one measured server. */
export class Load {
  readonly ports: ClientPorts;
  readonly #swarm: PeerSwarm;

  constructor() {
    const identity = generateIdentity(Math.floor(systemClock.unixMs() / 1000) - BACKDATED_S, CERTIFICATE_DAYS);
    const seed = Buffer.from(systemRandom(4)).readUInt32BE();
    this.#swarm = new PeerSwarm({ threads: 1, identity, seed, onEventsLost: () => {} });
    this.ports = {
      clock: systemClock,
      random: systemRandom,
      fingerprint: fingerprintOf(identity.certificatePem),
      openPeer: swarmPeers({ swarm: this.#swarm, clock: systemClock, up: {}, down: {} }),
    };
  }

  async join(peer: RunningPeer, members: readonly Member[]): Promise<void> {
    const waiting = members.toReversed();
    const next = async (): Promise<void> => {
      for (let member = waiting.pop(); member !== undefined; member = waiting.pop()) await peer.join(member);
    };
    await Promise.all(Array.from({ length: JOINING_AT_ONCE }, next));
    await peer.subscribe();
  }

  /** Waits until packets of so many streams arrive. */
  async flowing(streams: { readonly video: number; readonly audio: number }): Promise<void> {
    const deadlineMs = performance.now() + FLOW_WITHIN_MS;
    for (;;) {
      const { video, audio } = this.#swarm.totals();
      if (video.streams >= streams.video && audio.streams >= streams.audio) return;
      if (performance.now() > deadlineMs) {
        const [came, wanted] = [video.streams + audio.streams, streams.video + streams.audio];
        throw new Error(`${came} of ${wanted} streams came`);
      }
      await sleep(100);
    }
  }

  /** Looks for so long. `begun` and `over` are called right at the ends. */
  async measure(seconds: number, ends: { readonly begun: () => void; readonly over: () => void }): Promise<Span> {
    this.#swarm.totals();
    // Whoever was held up by being asked has caught up.
    await sleep(100);
    const first = this.#look();
    ends.begun();
    await sleep(seconds * 1_000);
    ends.over();
    const last = this.#look();
    const grown = (of: (look: Look) => number): number => of(last) - of(first);
    const tookS = grown(({ atMs }) => atMs) / 1_000;
    const kinds = [last.totals.video, last.totals.audio].filter(({ delay }) => delay.count > 0);
    return {
      seconds: tookS,
      sent: grown(({ totals }) => totals.video.sent + totals.audio.sent),
      received: grown(({ totals }) => totals.video.packets + totals.audio.packets),
      lost: grown(({ totals }) => totals.video.lost + totals.audio.lost),
      recovered: grown(({ totals }) => totals.video.recovered + totals.audio.recovered),
      delayP50Us: 1_000 * Math.max(0, ...kinds.map(({ delay }) => delay.p50Ms)),
      delayP99Us: 1_000 * Math.max(0, ...kinds.map(({ delay }) => delay.p99Ms)),
      load: grown(({ cpuUs }) => cpuUs) / (tookS * 1_000_000),
      dropped: grown(({ dropped }) => dropped),
    };
  }

  close(): void {
    this.#swarm.close();
  }

  #look(): Look {
    const totals = this.#swarm.totals();
    const cpuUs = this.#swarm.threads().reduce((sum, thread) => sum + thread.cpuUs, 0);
    return { atMs: performance.now(), totals, cpuUs, dropped: droppedBySockets() };
  }
}

interface Look {
  readonly atMs: number;
  readonly totals: SwarmTotals;
  readonly cpuUs: number;
  readonly dropped: number;
}

/** Clients are bound to every address, servers to one: what was dropped at sockets without an address, in all. */
function droppedBySockets(): number {
  const lines = readFileSync('/proc/net/udp', 'utf8').trim().split('\n').slice(1);
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local?.startsWith('00000000:'))
    .reduce((sum, fields) => sum + Number(fields.at(-1)), 0);
}
