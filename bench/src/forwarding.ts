import { setTimeout as sleep } from 'node:timers/promises';
import type { BareLimitResult, Native } from './native.ts';
import { Load } from './peers/load.ts';
import { RunningMediaNode } from './peers/media-node.ts';
import type { Feedback } from './peers/media-node-room.ts';
import { oneTo, receiversOf, sourcesOf, streamsOf } from './peers/shapes.ts';

/** The measured process has a core of its own; its clients, and this process, have the other. */
export const sfuCpu = 0;
export const loadCpu = 1;

/** 1.5 Mbit/s of video at 30 frames a second, as the sources' packetizer cuts it: six equal packets a frame. */
const framePackets = [6] as const;
const packetBytes = 1_070;
const framesPerSecond = 30;

export interface ForwardingOptions {
  readonly feedback: Feedback;
  readonly subscribers: number;
  readonly rounds: number;
  readonly roundSeconds: number;
}

/** One round of the packet path, and right after it one of the bare limit. */
export interface Round {
  readonly cpuUsPerPacket: number;
  readonly bareUsPerPacket: number;
  /** Of the bare limit, sealing. */
  readonly sealUsPerPacket: number;
  readonly delayP50Us: number;
  readonly delayP99Us: number;
  readonly forwarded: number;
  readonly lost: number;
  /** Share of its core that the shard used. */
  readonly load: number;
  /** Packets a system call sent. */
  readonly packetsPerBurst: number;
  /** Times a second that the shard went to sleep. */
  readonly sleepsPerSecond: number;
  readonly drops: Readonly<Record<string, number>>;
}

export interface ForwardingResult {
  readonly feedback: Feedback;
  readonly subscribers: number;
  readonly rounds: readonly Round[];
  readonly residentBytesPerSubscriber: number;
}

export async function measureForwarding(native: Native, options: ForwardingOptions): Promise<ForwardingResult> {
  const load = new Load();
  const node = await RunningMediaNode.start({ cpu: sfuCpu, clients: load.ports }, options.feedback);
  try {
    const shape = oneTo(options.subscribers);
    await load.join(node, sourcesOf(shape));
    await sleep(1_000);
    const before = (await node.sfu.measure()).residentBytes;
    await load.join(node, receiversOf(shape));
    await load.flowing(streamsOf(shape));
    // Histories and tables reach their size.
    await sleep(3_000);
    const after = (await node.sfu.measure()).residentBytes;

    const rounds: Round[] = [];
    for (let i = 0; i < options.rounds; i += 1) rounds.push(await measureRound(native, { node, load }, options));
    const residentBytesPerSubscriber = (after - before) / options.subscribers;
    return { feedback: options.feedback, subscribers: options.subscribers, rounds, residentBytesPerSubscriber };
  } finally {
    load.close();
    await node.stop();
  }
}

async function measureRound(
  native: Native,
  { node, load }: { readonly node: RunningMediaNode; readonly load: Load },
  options: ForwardingOptions,
): Promise<Round> {
  node.setSending('on');
  await sleep(500);
  const first = (await node.sfu.measure()).shard;
  const startedAtMs = performance.now();
  const span = await load.measure(options.roundSeconds, { begun: () => {}, over: () => {} });
  const last = (await node.sfu.measure()).shard;
  const tookUs = (performance.now() - startedAtMs) * 1_000;
  node.setSending('off');
  await sleep(200);

  const cpuUs = last.io.cpuUs - first.io.cpuUs;
  const forwarded = (last.counters['rtp-forwarded'] ?? 0) - (first.counters['rtp-forwarded'] ?? 0);
  const bare = await measureBare(native, options);
  return {
    cpuUsPerPacket: cpuUs / forwarded,
    bareUsPerPacket: bare.cpuUs / bare.packets,
    sealUsPerPacket: bare.sealCpuUs / bare.packets,
    delayP50Us: span.delayP50Us,
    delayP99Us: span.delayP99Us,
    forwarded,
    lost: span.lost,
    load: cpuUs / tookUs,
    packetsPerBurst: (last.io.datagramsSent - first.io.datagramsSent) / (last.io.sendCalls - first.io.sendCalls),
    sleepsPerSecond: ((last.io.sleeps - first.io.sleeps) * 1_000_000) / tookUs,
    drops: differences(first.drops, last.drops),
  };
}

function measureBare(native: Native, { subscribers, roundSeconds }: ForwardingOptions): Promise<BareLimitResult> {
  const frameIntervalUs = Math.round(1_000_000 / framesPerSecond);
  const frames = Math.round(roundSeconds * framesPerSecond);
  return native.bareLimit({
    destinations: subscribers,
    framePackets,
    packetBytes,
    frameIntervalUs,
    frames,
    cpu: sfuCpu,
  });
}

function differences(
  first: Readonly<Record<string, number>>,
  last: Readonly<Record<string, number>>,
): Record<string, number> {
  const entries = Object.entries(last).map(([name, count]) => [name, count - (first[name] ?? 0)] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}
