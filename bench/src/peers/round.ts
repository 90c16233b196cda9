import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerAdapter, RunningPeer } from './adapter.ts';
import { Load, type Span } from './load.ts';
import { growing, receiversOf, type Shape, sourcesOf, streamsOf, subscriber } from './shapes.ts';

export interface RoundOptions {
  readonly adapter: PeerAdapter;
  /** Of all threads of a process, since its start. */
  readonly cpuUs: (pid: number) => number;
  readonly cpu: number;
  readonly seconds: number;
  /** After everybody is in: rates and histories reach their size. */
  readonly settleSeconds: number;
}

/** One server, started afresh, with one shape of load. */
export interface Round {
  readonly packetsPerSecond: number;
  readonly cpuUsPerPacket: number;
  /** Share of its core that it used. */
  readonly core: number;
  /** Of what was sent, what did not come, repairs not counted. */
  readonly loss: number;
  readonly delayP50Us: number;
  readonly delayP99Us: number;
  /** More of it than before they came, by their number. */
  readonly residentBytesPerReceiver: number;
  readonly load: number;
  readonly dropped: number;
}

export interface Started {
  readonly peer: RunningPeer;
  readonly load: Load;
}

/** Publishers alone, before memory is looked at. */
const ALONE_MS = 500;

/** Starts a server and clients for it, and leaves nothing of them behind. */
export async function withPeer<T>(
  { adapter, cpu }: Pick<RoundOptions, 'adapter' | 'cpu'>,
  use: (started: Started) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(`${tmpdir()}/sluice-bench-`);
  const clear = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clear);
  const load = new Load();
  try {
    const peer = await adapter.start({ cpu, folder, clients: load.ports });
    try {
      return await use({ peer, load });
    } finally {
      await peer.stop();
    }
  } finally {
    load.close();
    process.off('exit', clear);
    clear();
  }
}

export async function measureRound(options: RoundOptions, shape: Shape): Promise<Round> {
  return await withPeer(options, async ({ peer, load }) => {
    await load.join(peer, sourcesOf(shape));
    await sleep(ALONE_MS);
    const before = residentBytes(peer.pid);
    const receivers = receiversOf(shape);
    await load.join(peer, receivers);
    const streams = streamsOf(shape);
    await load.flowing(streams);
    await sleep(options.settleSeconds * 1_000);
    const { span, cpuUs } = await measureSpan(options, { peer, load });
    const resident = (residentBytes(peer.pid) - before) / receivers.length;
    return roundOf(span, cpuUs, { copies: copiesOf(shape), resident });
  });
}

/** How often each published packet is forwarded. */
const copiesOf = ({ publishers, subscribers }: Shape): number => (subscribers === 0 ? publishers - 1 : subscribers);

async function measureSpan(
  { cpuUs, seconds }: Pick<RoundOptions, 'cpuUs' | 'seconds'>,
  { peer, load }: Started,
): Promise<{ readonly span: Span; readonly cpuUs: number }> {
  let [first, last] = [0, 0];
  const span = await load.measure(seconds, {
    begun: () => {
      first = cpuUs(peer.pid);
    },
    over: () => {
      last = cpuUs(peer.pid);
    },
  });
  return { span, cpuUs: last - first };
}

function roundOf(
  span: Span,
  cpuUs: number,
  { copies, resident }: { readonly copies: number; readonly resident: number },
): Round {
  // What is between the ends when they are looked at counts on one side only: up to a frame of each stream.
  const missing = 1 - span.received / (span.sent * copies);
  const gaps = Math.max(0, span.lost) / Math.max(1, span.received - span.recovered + Math.max(0, span.lost));
  return {
    packetsPerSecond: span.received / span.seconds,
    cpuUsPerPacket: cpuUs / Math.max(1, span.received),
    core: cpuUs / (span.seconds * 1_000_000),
    loss: missing > EDGE_SHARE ? Math.max(missing, gaps) : gaps,
    delayP50Us: span.delayP50Us,
    delayP99Us: span.delayP99Us,
    residentBytesPerReceiver: resident,
    load: span.load,
    dropped: span.dropped,
  };
}

/** A frame or two of a second's thirty. */
const EDGE_SHARE = 0.05;

export interface Full {
  /** With the most subscribers at which less than `FULL_LOSS` was lost. */
  readonly subscribers: number;
  readonly packetsPerSecond: number;
  readonly core: number;
  /** What gave way at the next step. */
  readonly end: string;
}

/** The loss at which a server counts as full. */
const FULL_LOSS = 0.001;
/** Above it the load's thread does not keep up, and what is lost says nothing of the server. */
const LOAD_LIMIT = 0.93;

/** Lets one room grow until its server loses packets. */
export async function measureFull(options: RoundOptions, steps: readonly number[]): Promise<Full> {
  return await withPeer(options, async (started) => {
    const { peer, load } = started;
    await load.join(peer, sourcesOf(growing));
    let best = { subscribers: 0, packetsPerSecond: 0, core: 0 };
    for (const [index, subscribers] of steps.entries()) {
      const from = steps[index - 1] ?? 0;
      const more = Array.from({ length: subscribers - from }, (_, i) => subscriber('room-1', from + i));
      let round: Round;
      try {
        await load.join(peer, more);
        await load.flowing({ video: subscribers, audio: 0 });
        await sleep(options.settleSeconds * 500);
        const { span, cpuUs } = await measureSpan(options, started);
        round = roundOf(span, cpuUs, { copies: subscribers, resident: 0 });
      } catch (error) {
        return { ...best, end: `at ${subscribers}: ${error instanceof Error ? error.message : String(error)}` };
      }
      if (round.load > LOAD_LIMIT || round.dropped > 0) {
        return { ...best, end: `the load itself does not keep up with ${subscribers}` };
      }
      if (round.loss > FULL_LOSS) {
        return { ...best, end: `${(round.loss * 100).toFixed(2)} % lost at ${subscribers}` };
      }
      best = { subscribers, packetsPerSecond: round.packetsPerSecond, core: round.core };
    }
    return { ...best, end: 'not tried further' };
  });
}

function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1024;
}
