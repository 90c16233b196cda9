import type { IncomingTrackSpec, SessionId, TimeUs, TrackId } from '@sluice/contracts';
import { US_PER_S } from '@sluice/contracts';
import type { IncomingStreamSnapshot, OutgoingStreamSnapshot, SessionSnapshot } from '@sluice/packet-path';

/** A session is measured over this long at least: a few reports of its client, and dozens of packets of a stream. */
export const MEASURE_US = 5 * US_PER_S;

/** What one stream did in a span. */
export interface StreamMeasure {
  readonly direction: 'in' | 'out';
  readonly track: TrackId;
  readonly kind: IncomingTrackSpec['kind'];
  readonly state: StreamState;
  readonly packets: number;
  readonly bytes: number;
  /** Of those that were due, and not made good as far as is known. */
  readonly lost: number;
  /** In: came by retransmission. Out: sent again. */
  readonly repaired: number;
  readonly nacks: number;
  readonly plis: number;
  readonly jitterMs: number;
}

/** `waiting`: for packets or for a key frame. */
export const streamStates = ['flowing', 'paused', 'waiting'] as const;
export type StreamState = (typeof streamStates)[number];

export interface SessionMeasure {
  readonly session: SessionId;
  readonly spanUs: number;
  /** How long nothing at all has come from the client. */
  readonly silentUs: number;
  readonly rttMs: number;
  readonly streams: readonly StreamMeasure[];
}

type Totals = Pick<StreamMeasure, 'packets' | 'bytes' | 'lost' | 'repaired' | 'nacks' | 'plis'>;

interface Mark {
  readonly atUs: TimeUs;
  readonly totals: ReadonlyMap<string, Totals>;
}

const nothing: Totals = { packets: 0, bytes: 0, lost: 0, repaired: 0, nacks: 0, plis: 0 };

/** Turns a session's counters into what happened between two looks. Pure. */
export class SessionMeter {
  #mark: Mark | undefined;
  #datagramsIn = -1;
  #heardUs = 0;

  /** undefined: the span is not over. */
  observe(snapshot: SessionSnapshot, nowUs: TimeUs): SessionMeasure | undefined {
    if (snapshot.datagramsIn !== this.#datagramsIn) {
      this.#datagramsIn = snapshot.datagramsIn;
      this.#heardUs = nowUs;
    }
    const before = this.#mark;
    if (before !== undefined && nowUs - before.atUs < MEASURE_US) return undefined;
    const now = [...snapshot.incoming.map(incoming), ...snapshot.outgoing.map(outgoing)];
    this.#mark = { atUs: nowUs, totals: new Map(now.map(({ key, totals }) => [key, totals])) };
    if (before === undefined) return undefined;
    return {
      session: snapshot.session,
      spanUs: nowUs - before.atUs,
      silentUs: nowUs - this.#heardUs,
      rttMs: snapshot.rttMs,
      streams: now.map(({ key, totals, about }) => ({ ...about, ...since(before.totals.get(key), totals) })),
    };
  }
}

interface Stream {
  readonly key: string;
  readonly totals: Totals;
  readonly about: Omit<StreamMeasure, keyof Totals>;
}

function incoming(stream: IncomingStreamSnapshot): Stream {
  const { track, kind, ssrc, packets, bytes, lost, recovered, nacks, plis, jitterMs } = stream;
  return {
    key: `in ${ssrc}`,
    totals: { packets, bytes, lost, repaired: recovered, nacks, plis },
    // Whether its publisher sends it now shows only in what comes.
    about: { direction: 'in', track, kind, state: 'flowing', jitterMs },
  };
}

function outgoing(stream: OutgoingStreamSnapshot): Stream {
  const { track, kind, ssrc, packets, bytes, lost, resentPackets, nacks, plis, jitterMs, paused, flowing } = stream;
  const running = flowing ? 'flowing' : 'waiting';
  return {
    key: `out ${ssrc}`,
    totals: { packets, bytes, lost, repaired: resentPackets, nacks, plis },
    about: { direction: 'out', track, kind, state: paused ? 'paused' : running, jitterMs },
  };
}

/** A stream that began anew, under an SSRC that was there before, has come this far since. */
function since(before: Totals = nothing, now: Totals): Totals {
  const from = now.packets < before.packets ? nothing : before;
  const grown = (name: keyof Totals): number => Math.max(0, now[name] - from[name]);
  return {
    packets: grown('packets'),
    bytes: grown('bytes'),
    lost: grown('lost'),
    repaired: grown('repaired'),
    nacks: grown('nacks'),
    plis: grown('plis'),
  };
}
