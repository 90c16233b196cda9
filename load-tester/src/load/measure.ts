import type { ReceivedStreamReport } from '@sluice/packet-path';
import type { ClientReport } from '../client/client-report.ts';
import type { RoomClient } from '../client/room-client.ts';
import type { LoadMember } from './plan.ts';

/** A client of a load test. */
export interface LoadClient {
  readonly member: LoadMember;
  readonly room: RoomClient;
  /** Streams that it should receive. */
  readonly expected: number;
}

/** It is in the room with all of its media up. */
export const isConnected = ({ room }: LoadClient): boolean =>
  room.state === 'live' && room.times.connectedUs !== undefined;

/** Quantiles of something, in its own unit; all 0 without any. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((one, other) => one - other);
  // The smallest value that so large a share does not exceed.
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

/** How a client came in, in milliseconds from when it dialed. What has not happened is undefined. */
export interface Entry {
  readonly joinMs: number | undefined;
  readonly connectMs: number | undefined;
  /** Its first picture of anyone. */
  readonly firstFrameMs: number | undefined;
}

export function entryOf(
  { dialedUs, joinedUs, connectedUs }: RoomClient['times'],
  firstPictureUs: number | undefined,
): Entry {
  const since = (atUs: number | undefined): number | undefined =>
    atUs === undefined ? undefined : (atUs - dialedUs) / 1000;
  return { joinMs: since(joinedUs), connectMs: since(connectedUs), firstFrameMs: since(firstPictureUs) };
}

/** What one received stream did within the measured time. */
export interface StreamSpan {
  readonly kind: 'audio' | 'video';
  readonly seconds: number;
  readonly packets: number;
  readonly bytes: number;
  readonly lost: number;
  readonly recovered: number;
  readonly decoded: number;
  readonly framesSent: number;
  readonly freezes: number;
  readonly frozenMs: number;
  readonly played: number;
  readonly concealed: number;
  readonly brokenReferences: number;
  /** Which of the publisher's encodings came last, the lowest is 0; and how often that changed. */
  readonly encoding: number;
  readonly encodingSwitches: number;
  /** Of its whole life: how many were measured, and how long they were. */
  readonly delays: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
}

/** What a client has received so far, by SSRC. */
export type Streams = ReadonlyMap<number, ReceivedStreamReport>;

export const streamsOf = (report: ClientReport): Streams =>
  new Map(report.received.flatMap(({ stream }) => (stream === undefined ? [] : [[stream.ssrc, stream]])));

/** What a stream did from `fromUs` to `toUs`; one that began between them counts from its start. */
export function spanOf(
  before: ReceivedStreamReport | undefined,
  now: ReceivedStreamReport,
  { fromUs, toUs }: { readonly fromUs: number; readonly toUs: number },
): StreamSpan {
  const grown = (of: (report: ReceivedStreamReport) => number | undefined): number =>
    (of(now) ?? 0) - (before === undefined ? 0 : (of(before) ?? 0));
  const startUs = Math.max(fromUs, now.frames?.firstUs ?? now.audio?.firstUs ?? fromUs);
  return {
    kind: now.kind,
    seconds: Math.max(0, toUs - startUs) / 1_000_000,
    packets: grown(({ packets }) => packets),
    bytes: grown(({ bytes }) => bytes),
    // What was given up for lost and came late is counted back.
    lost: Math.max(
      0,
      grown(({ lost }) => lost),
    ),
    recovered: grown(({ recovered }) => recovered),
    decoded: grown(({ frames }) => frames?.decoded),
    framesSent: grown(({ frames }) => frames?.sent),
    freezes: grown(({ frames }) => frames?.freezes),
    frozenMs: grown(({ frames }) => frames?.frozenMs),
    played: grown(({ audio }) => audio?.played),
    concealed: grown(({ audio }) => audio?.concealed),
    brokenReferences: grown(({ frames }) => frames?.brokenReferences),
    encoding: now.frames?.encoding ?? 0,
    encodingSwitches: grown(({ frames }) => frames?.encodingSwitches),
    delays: now.delay.count,
    delayP50Ms: now.delay.p50Ms,
    delayP99Ms: now.delay.p99Ms,
  };
}
