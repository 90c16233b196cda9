/** One track's figures, from what WebRTC reports about it. Rates are since the sample before. */
export interface TrackFigures {
  readonly codec: string;
  readonly size: string;
  readonly fps: number | undefined;
  readonly bitrateBps: number | undefined;
  /** Of the packets since the sample before; 0 … 1. */
  readonly loss: number | undefined;
  readonly roundTripMs: number | undefined;
  readonly jitterMs: number | undefined;
}

/** The counters that rates are made from. */
export interface Counters {
  readonly atMs: number;
  readonly bytes: number;
  readonly packets: number;
  readonly lost: number;
}

export type Report = Iterable<Readonly<Record<string, unknown>>>;

const num = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** Reads a sender's or a receiver's report; `before` is what the last reading gave. */
export function readTrack(
  report: Report,
  before: Counters | undefined,
): { figures: TrackFigures; counters: Counters } | undefined {
  const stats = [...report];
  const streams = stats.filter(({ type }) => type === 'outbound-rtp' || type === 'inbound-rtp');
  if (streams.length === 0) return undefined;
  // A simulcast sender has a stream a layer: the largest stands for the track, the bytes are those of all.
  const main = streams.toSorted((a, b) => (num(b['frameWidth']) ?? 0) - (num(a['frameWidth']) ?? 0))[0] ?? {};
  const remote = stats.find(({ type }) => type === 'remote-inbound-rtp') ?? {};
  const pair = stats.find(({ type, nominated }) => type === 'candidate-pair' && nominated === true) ?? {};
  const sum = (...names: string[]): number =>
    streams.reduce((total, stream) => total + names.reduce((t, name) => t + (num(stream[name]) ?? 0), 0), 0);
  const counters: Counters = {
    atMs: num(main['timestamp']) ?? 0,
    bytes: sum('bytesSent', 'bytesReceived'),
    packets: sum('packetsSent', 'packetsReceived'),
    lost: num(remote['packetsLost']) ?? sum('packetsLost'),
  };
  const codec = stats.find(({ id }) => id === main['codecId'])?.['mimeType'];
  const jitterS = num(main['jitter']) ?? num(remote['jitter']);
  const roundTripS = num(remote['roundTripTime']) ?? num(pair['currentRoundTripTime']);
  const width = num(main['frameWidth']);
  return {
    figures: {
      codec: typeof codec === 'string' ? codec.replace(/^.*\//, '') : '',
      size: width === undefined ? '' : `${width}×${num(main['frameHeight']) ?? 0}`,
      fps: num(main['framesPerSecond']),
      ...ratesBetween(before, counters),
      roundTripMs: roundTripS === undefined ? undefined : roundTripS * 1000,
      jitterMs: jitterS === undefined ? undefined : jitterS * 1000,
    },
    counters,
  };
}

function ratesBetween(before: Counters | undefined, now: Counters): Pick<TrackFigures, 'bitrateBps' | 'loss'> {
  const spanMs = now.atMs - (before?.atMs ?? now.atMs);
  if (before === undefined || spanMs <= 0 || now.bytes < before.bytes)
    return { bitrateBps: undefined, loss: undefined };
  const lost = Math.max(0, now.lost - before.lost);
  const all = now.packets - before.packets + lost;
  return { bitrateBps: ((now.bytes - before.bytes) * 8000) / spanMs, loss: all > 0 ? lost / all : 0 };
}

/** `1.4 Mbit/s`, `48 kbit/s`. */
export function bitrateText(bps: number | undefined): string {
  if (bps === undefined) return '–';
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bps / 1e3)} kbit/s`;
}

export const percentText = (share: number | undefined): string =>
  share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;

export const msText = (ms: number | undefined): string =>
  ms === undefined ? '–' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
