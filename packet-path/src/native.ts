import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { SessionId, SessionSpec } from '@sluice/contracts';
import { PacketPathError } from './errors.ts';
import type { AddressText, PacketPathEvent } from './events.ts';
import type { ManualPeerOptions, PeerChannel, PeerEvent, PeerTransport, SendResult } from './manual-peer.ts';
import type { BindAddress, Identity, Tuning, Version } from './options.ts';
import type { DelayReport, PeerMedia, PeerMediaReport } from './peer-media.ts';
import type { PathSnapshot, SessionSnapshot } from './snapshot.ts';

/** What the addon exports: classes that look at every value they are given, and throw errors with a `code`. */
export interface Addon {
  readonly ThreadedPath: new (
    options: NativeOptions & { readonly bind: readonly BindAddress[] },
    onEvents: (events: readonly PacketPathEvent[]) => void,
  ) => NativeThreadedPath;
  readonly ManualPath: new (options: NativeOptions & { readonly seed: number }) => NativeManualPath;
  readonly ManualPeer: new (options: NativePeerOptions) => NativeManualPeer;
  readonly PeerSwarm: new (
    options: Identity & { readonly threads: number; readonly seed: number },
    onEvents: (events: readonly { readonly id: number; readonly event: PeerEvent }[], lost: number) => void,
  ) => NativePeerSwarm;
  generateIdentity(notBefore: number, days: number): Identity;
}

export type NativeOptions = Identity & Tuning & { readonly shards: number };

export interface NativeThreadedPath {
  apply(spec: SessionSpec, version: Version): void;
  drop(session: SessionId): void;
  drain(): void;
  snapshot(): Promise<PathSnapshot>;
  snapshot(session: SessionId): Promise<SessionSnapshot | undefined>;
  close(): void;
  status(): NativeStatus;
}

export interface NativeStatus {
  readonly addresses: readonly BindAddress[];
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** Ids of the control plane that the packet path remembers. */
  readonly names: number;
}

/** What a call to the manual packet path caused, in order. */
export interface Outcome {
  /** Address, bytes, address, bytes … */
  readonly datagrams: readonly (AddressText | Uint8Array)[];
  readonly events: readonly PacketPathEvent[];
}

export interface NativeManualPath {
  apply(spec: SessionSpec, version: Version, nowUs: number): Outcome;
  drop(session: SessionId, nowUs: number): Outcome;
  drain(nowUs: number): Outcome;
  deliver(datagrams: readonly (AddressText | Uint8Array)[], nowUs: number): Outcome;
  advance(nowUs: number): Outcome;
  nextDeadline(): number | undefined;
  snapshot(session: undefined, nowUs: number): PathSnapshot;
  snapshot(session: SessionId, nowUs: number): SessionSnapshot | undefined;
  close(): void;
}

export type NativePeerOptions = Omit<ManualPeerOptions, 'identity' | 'onEvent' | 'onDatagram'> & Identity;

/** What a call to a peer caused: datagrams as in `Outcome`. */
export interface PeerOutcome {
  readonly datagrams: readonly (AddressText | Uint8Array)[];
  readonly events: readonly PeerEvent[];
}

export interface NativeManualPeer {
  start(nowUs: number): PeerOutcome;
  receive(from: AddressText, bytes: Uint8Array, nowUs: number): PeerOutcome;
  restart(transport: PeerTransport, nowUs: number): PeerOutcome;
  sendRtp(packets: readonly Uint8Array[]): PeerOutcome;
  sendRtcp(compound: Uint8Array): PeerOutcome;
  send(
    streamId: number,
    kind: 'string' | 'binary',
    bytes: Uint8Array,
    nowUs: number,
  ): PeerOutcome & { readonly result: SendResult };
  openChannel(channel: PeerChannel, nowUs: number): PeerOutcome & { readonly streamId: number | undefined };
  closeChannel(streamId: number, nowUs: number): PeerOutcome;
  close(): PeerOutcome;
  setMedia(media: PeerMedia, nowUs: number): void;
  setTarget(targetBps: number): void;
  mediaReport(nowUs: number): PeerMediaReport | undefined;
  advance(nowUs: number): PeerOutcome;
  nextDeadline(): number | undefined;
  status(): PeerStatus;
}

export interface NativeConditions {
  readonly lossPpm: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly rateBps: number;
}

export interface NativePeerSwarm {
  add(
    options: Omit<ManualPeerOptions, 'identity' | 'onEvent' | 'onDatagram' | 'seed'> & {
      readonly up: NativeConditions;
      readonly down: NativeConditions;
    },
  ): number;
  restart(id: number, transport: PeerTransport): void;
  setMedia(id: number, media: PeerMedia): void;
  send(id: number, streamId: number, kind: 'string' | 'binary', bytes: Uint8Array): SendResult;
  remove(id: number, goodbye: boolean): void;
  mediaReport(id: number): PeerMediaReport | undefined;
  totals(): SwarmTotals;
  threads(): readonly SwarmThreadReport[];
  now(): number;
  close(): void;
}

/** What all clients of a swarm sent and received. */
export interface SwarmTotals {
  readonly video: SwarmKindTotals;
  readonly audio: SwarmKindTotals;
}

export interface SwarmKindTotals {
  /** Packets. */
  readonly sent: number;
  /** Those received that packets came of. */
  readonly streams: number;
  /** Distinct packets received. */
  readonly packets: number;
  /** What the network took, repaired or not. */
  readonly lost: number;
  readonly recovered: number;
  /** Of what came since the totals were last asked for; `maxMs` is of all. */
  readonly delay: DelayReport;
}

/** One thread of a swarm. */
export interface SwarmThreadReport {
  readonly clients: number;
  readonly cpuUs: number;
  /** How late a deadline was met at worst since the last report: the load itself was late by so much. */
  readonly worstLagUs: number;
  readonly datagramsReceived: number;
  readonly datagramsSent: number;
  readonly sendFailed: number;
}

/** A peer's state and what it counted. */
export interface PeerStatus {
  readonly connected: boolean;
  /** Its own address as the server sees it; empty before the first answer. */
  readonly mappedAddress: AddressText;
  readonly rtpSent: number;
  readonly rtpReceived: number;
  readonly rtcpSent: number;
  readonly rtcpReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly droppedReplayed: number;
  readonly droppedUnauthentic: number;
  readonly droppedMalformed: number;
  readonly droppedEarly: number;
  readonly droppedTooLarge: number;
}

/** The addon compiled here, or a prebuilt one for this platform. Node keeps it: loading again costs nothing. */
export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  const load = require('node-gyp-build') as (folder: string) => Addon;
  try {
    return load(fileURLToPath(new URL('..', import.meta.url)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new PacketPathError('PACKET_PATH_NOT_COMPILED', `the packet path's addon cannot be loaded: ${why}`, cause);
  }
}
