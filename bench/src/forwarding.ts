import { setTimeout as sleep } from 'node:timers/promises';
import { generateIdentity } from '@sluice/packet-path';
import type { Endpoint, LoadAddon, Swarm } from './load-addon.ts';
import {
  fingerprintOf,
  framePackets,
  framesPerSecond,
  packetBytes,
  publisher,
  type RoomOptions,
  subscriber,
} from './room.ts';
import { Sfu } from './sfu.ts';

/** The measured shard has a core of its own; the load, and both processes' JavaScript, have the other. */
export const sfuCpu = 0;
export const loadCpu = 1;

export interface ForwardingOptions {
  readonly feedback: RoomOptions['feedback'];
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
  readonly feedback: RoomOptions['feedback'];
  readonly subscribers: number;
  readonly rounds: readonly Round[];
  readonly residentBytesPerSubscriber: number;
}

export async function measureForwarding(addon: LoadAddon, options: ForwardingOptions): Promise<ForwardingResult> {
  const identity = generateIdentity(Math.floor(Date.now() / 1000) - 3_600, 30);
  const sfu = await Sfu.start(identity, sfuCpu);
  const swarm = new addon.Swarm(loadCpu);
  try {
    const room = {
      server: sfu.address,
      serverFingerprint: fingerprintOf(identity),
      clientFingerprint: swarm.fingerprint(),
      feedback: options.feedback,
    };
    await join(sfu, swarm, [publisher(room)]);
    swarm.startVideo();
    await sleep(1_000);
    const before = (await sfu.measure()).residentBytes;
    await join(
      sfu,
      swarm,
      Array.from({ length: options.subscribers }, (_, index) => subscriber(index, room)),
    );
    await until(() => swarm.report().receiving === options.subscribers, 'every subscriber receives');
    // Histories and tables reach their size.
    await sleep(3_000);
    const after = (await sfu.measure()).residentBytes;

    const rounds: Round[] = [];
    for (let i = 0; i < options.rounds; i += 1) rounds.push(await measureRound(addon, sfu, swarm, options));
    const residentBytesPerSubscriber = (after - before) / options.subscribers;
    return { feedback: options.feedback, subscribers: options.subscribers, rounds, residentBytesPerSubscriber };
  } finally {
    swarm.close();
    await sfu.stop();
  }
}

async function join(sfu: Sfu, swarm: Swarm, members: readonly ReturnType<typeof publisher>[]): Promise<void> {
  await sfu.apply(members.map(({ spec }) => spec));
  const { clients } = swarm.report();
  for (const { client } of members) swarm.add(client);
  await until(() => swarm.report().connected === clients + members.length, 'every client is connected');
}

async function measureRound(addon: LoadAddon, sfu: Sfu, swarm: Swarm, options: ForwardingOptions): Promise<Round> {
  swarm.startVideo();
  await sleep(300);
  swarm.beginMeasurement();
  const first = (await sfu.measure()).shard;
  const startedAtMs = performance.now();
  await sleep(options.roundSeconds * 1_000);
  const last = (await sfu.measure()).shard;
  const tookUs = (performance.now() - startedAtMs) * 1_000;
  swarm.stopVideo();
  await sleep(200);
  const received = swarm.report();
  if (received.ended > 0) throw new Error(`${received.ended} clients ended`);

  const cpuUs = last.io.cpuUs - first.io.cpuUs;
  const forwarded = (last.counters['rtp-forwarded'] ?? 0) - (first.counters['rtp-forwarded'] ?? 0);
  const bare = await measureBare(addon, swarm.openSinks(options.subscribers), options.roundSeconds);
  swarm.closeSinks();
  return {
    cpuUsPerPacket: cpuUs / forwarded,
    bareUsPerPacket: bare.cpuUs / bare.packets,
    sealUsPerPacket: bare.sealCpuUs / bare.packets,
    delayP50Us: received.delayP50Us,
    delayP99Us: received.delayP99Us,
    forwarded,
    lost: received.packetsLost,
    load: cpuUs / tookUs,
    packetsPerBurst: (last.io.datagramsSent - first.io.datagramsSent) / (last.io.sendCalls - first.io.sendCalls),
    sleepsPerSecond: ((last.io.sleeps - first.io.sleeps) * 1_000_000) / tookUs,
    drops: differences(first.drops, last.drops),
  };
}

function measureBare(
  addon: LoadAddon,
  destinations: readonly Endpoint[],
  seconds: number,
): ReturnType<LoadAddon['bareLimit']> {
  const frameIntervalUs = Math.round(1_000_000 / framesPerSecond);
  const frames = Math.round(seconds * framesPerSecond);
  return addon.bareLimit({ destinations, framePackets, packetBytes, frameIntervalUs, frames, cpu: sfuCpu });
}

function differences(
  first: Readonly<Record<string, number>>,
  last: Readonly<Record<string, number>>,
): Record<string, number> {
  const entries = Object.entries(last).map(([name, count]) => [name, count - (first[name] ?? 0)] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + 20_000;
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error(`waited in vain: ${what}`);
    await sleep(50);
  }
}
