import type { LoadReport } from './report.ts';

/** What a load test must reach to count as passed. What is left out is not asked. */
export interface Thresholds {
  /** Shares of clients that came in and stayed, and of streams that came. */
  readonly minConnected: number;
  readonly minFlowing: number;
  /** Of the video frames that were sent. */
  readonly minFramesShown?: number;
  readonly maxLoss?: number;
  readonly maxConcealed?: number;
  readonly maxJoinP99Ms?: number;
  readonly maxConnectP99Ms?: number;
  readonly maxFirstFrameP99Ms?: number;
  readonly maxDelayP99Ms?: number;
  /** Of each video stream, in a minute. */
  readonly maxFreezes?: number;
  /** Of the server, within the measured time. */
  readonly maxMemoryGrowth?: number;
}

/** One sentence for each threshold that was not kept. */
export function missed(report: LoadReport, thresholds: Thresholds): string[] {
  const { clients, streams, video, audio, server } = report;
  const stayed = clients.wanted === 0 ? 1 : (clients.connected - clients.dropped) / clients.wanted;
  const flowing = streams.expected === 0 ? 1 : streams.flowing / streams.expected;
  const missed: string[] = [];
  const atLeast = (what: string, value: number, least: number): void => {
    if (value < least) missed.push(`${what}: ${percent(value)}, at least ${percent(least)} was asked`);
  };
  const atMost = (what: string, value: number, most: number | undefined, show: (value: number) => string): void => {
    if (most !== undefined && value > most) missed.push(`${what}: ${show(value)}, at most ${show(most)} was asked`);
  };
  atLeast('clients that came in and stayed', stayed, thresholds.minConnected);
  atLeast('streams that came', flowing, thresholds.minFlowing);
  if (video.streams > 0) atLeast('frames shown', video.framesShown, thresholds.minFramesShown ?? 0);
  atMost('loss', Math.max(video.loss, audio.loss), thresholds.maxLoss, percent);
  atMost('audio made up', audio.concealed, thresholds.maxConcealed, percent);
  atMost('join, p99', report.joinMs.p99, thresholds.maxJoinP99Ms, ms);
  atMost('media up, p99', report.connectMs.p99, thresholds.maxConnectP99Ms, ms);
  atMost('first frame, p99', report.firstFrameMs.p99, thresholds.maxFirstFrameP99Ms, ms);
  atMost('one-way delay, p99', report.delayP99Ms.p99, thresholds.maxDelayP99Ms, ms);
  atMost('freezes a minute', video.freezesPerMinute, thresholds.maxFreezes, (value) => value.toFixed(2));
  if (thresholds.maxMemoryGrowth !== undefined && server === undefined) missed.push("the server's memory was not seen");
  atMost("growth of the server's memory", server?.memory.growth ?? 0, thresholds.maxMemoryGrowth, percent);
  return missed;
}

const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;
const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
