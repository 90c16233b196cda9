import type { SwarmThreadReport } from '@sluice/packet-path';
import type { ClientCounts, CrowdTally } from './crowd.ts';
import { type Quantiles, quantiles, type StreamSpan } from './measure.ts';
import type { ServerReport } from './server-watch.ts';

/** What a load test found. Times are in milliseconds, shares from 0 to 1. */
export interface LoadReport {
  readonly measuredS: number;
  readonly clients: ClientCounts;
  readonly streams: {
    readonly expected: number;
    /** Of it audio came, or pictures that could be shown, within the measured time; with churn, in the calm at its end. */
    readonly flowing: number;
  };
  /** From dialing to the join message, to media being up, and to the first video frame. */
  readonly joinMs: Quantiles;
  readonly connectMs: Quantiles;
  readonly firstFrameMs: Quantiles;
  /** From sending to being there complete: each stream's median, and each stream's 99th percentile. */
  readonly delayP50Ms: Quantiles;
  readonly delayP99Ms: Quantiles;
  readonly receivedBps: number;
  readonly video: {
    readonly streams: number;
    readonly bps: Quantiles;
    /** Of the packets on the way to clients, what the network took; repaired or not. */
    readonly loss: number;
    /** Of the frames that were sent, those that could be shown. */
    readonly framesShown: number;
    readonly freezesPerMinute: number;
    readonly frozen: number;
    readonly brokenReferences: number;
    /** Streams by the encoding that came last, the lowest first; and how often a stream changed in a minute. */
    readonly byEncoding: readonly number[];
    readonly switchesPerMinute: number;
  };
  readonly audio: { readonly streams: number; readonly loss: number; readonly concealed: number };
  /** What the load itself cost, and how late it was: a test that is late measures itself. */
  readonly load: { readonly threads: number; readonly cpuShare: number; readonly worstLagMs: number };
  /** What the server told of itself, where it was asked. */
  readonly server?: ServerReport;
  /** What went wrong, and how often. */
  readonly problems: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly seconds: number;
  readonly tally: CrowdTally;
  readonly threads: readonly { readonly before: SwarmThreadReport; readonly after: SwarmThreadReport }[];
  readonly problems: ReadonlyMap<string, number>;
  readonly server: ServerReport | undefined;
}

export function loadReport({ seconds, tally, threads, problems, server }: Measured): LoadReport {
  const { clients, streams, entries, spans } = tally;
  const flowing = spans.filter(({ packets }) => packets > 0);
  const timed = flowing.filter(({ delays }) => delays > 0);
  return {
    measuredS: seconds,
    clients,
    streams,
    joinMs: quantiles(entries.flatMap(({ joinMs }) => joinMs ?? [])),
    connectMs: quantiles(entries.flatMap(({ connectMs }) => connectMs ?? [])),
    firstFrameMs: quantiles(entries.flatMap(({ firstFrameMs }) => firstFrameMs ?? [])),
    delayP50Ms: quantiles(timed.map(({ delayP50Ms }) => delayP50Ms)),
    delayP99Ms: quantiles(timed.map(({ delayP99Ms }) => delayP99Ms)),
    receivedBps: (sum(flowing, ({ bytes }) => bytes) * 8) / seconds,
    video: videoReport(flowing.filter(({ kind }) => kind === 'video')),
    audio: audioReport(flowing.filter(({ kind }) => kind === 'audio')),
    load: {
      threads: threads.length,
      cpuShare: ratio(
        threads.reduce((total, { before, after }) => total + after.cpuUs - before.cpuUs, 0),
        threads.length * seconds * 1_000_000,
      ),
      worstLagMs: Math.max(0, ...threads.map(({ after }) => after.worstLagUs)) / 1000,
    },
    ...(server === undefined ? {} : { server }),
    problems: Object.fromEntries([...problems].toSorted(([, one], [, other]) => other - one)),
  };
}

/** A stream that was there for less has no bitrate worth telling. */
const SHORTEST_S = 1;

function videoReport(spans: readonly StreamSpan[]): LoadReport['video'] {
  const seconds = sum(spans, (span) => span.seconds);
  const perMinute = (events: number): number => ratio(events * 60, seconds);
  const encodings = Math.max(0, ...spans.map(({ encoding }) => encoding + 1));
  return {
    streams: spans.length,
    bps: quantiles(
      spans.filter((span) => span.seconds >= SHORTEST_S).map((span) => ratio(span.bytes * 8, span.seconds)),
    ),
    loss: lossOf(spans),
    framesShown: ratio(
      sum(spans, ({ decoded }) => decoded),
      sum(spans, ({ framesSent }) => framesSent),
    ),
    freezesPerMinute: perMinute(sum(spans, ({ freezes }) => freezes)),
    frozen: ratio(
      sum(spans, ({ frozenMs }) => frozenMs),
      seconds * 1000,
    ),
    brokenReferences: sum(spans, ({ brokenReferences }) => brokenReferences),
    byEncoding: Array.from({ length: encodings }, (_, index) => spans.filter((span) => span.encoding === index).length),
    switchesPerMinute: perMinute(sum(spans, ({ encodingSwitches }) => encodingSwitches)),
  };
}

function audioReport(spans: readonly StreamSpan[]): LoadReport['audio'] {
  return {
    streams: spans.length,
    loss: lossOf(spans),
    concealed: ratio(
      sum(spans, ({ concealed }) => concealed),
      sum(spans, ({ played, concealed }) => played + concealed),
    ),
  };
}

function lossOf(spans: readonly StreamSpan[]): number {
  // Packets that came by retransmission are among those lost.
  const lost = sum(spans, (span) => span.lost);
  return ratio(lost, sum(spans, (span) => span.packets - span.recovered) + lost);
}

const sum = (spans: readonly StreamSpan[], of: (span: StreamSpan) => number): number =>
  spans.reduce((total, span) => total + of(span), 0);

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
