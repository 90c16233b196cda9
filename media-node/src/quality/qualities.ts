import type { ConnectionQuality, SessionId, SessionSpec, TimeUs, TrackId } from '@sluice/contracts';
import { US_PER_S } from '@sluice/contracts';
import type { SessionSnapshot } from '@sluice/packet-path';
import { type SessionMeasure, SessionMeter } from './session-meter.ts';
import { isNews, sessionQuality, usefulBps } from './session-quality.ts';

/** What a look at a session brought. */
export interface Assessment {
  readonly measure: SessionMeasure;
  /** undefined: there was nothing to judge by. */
  readonly quality: ConnectionQuality | undefined;
  /** It is worth telling. */
  readonly news: boolean;
}

interface Held {
  readonly meter: SessionMeter;
  said: ConnectionQuality | undefined;
}

/** How well media comes through for every session of a node. Pure: snapshots and time go in. */
export class Qualities {
  readonly #sessions = new Map<SessionId, Held>();
  readonly #rates = new TrackRates();

  /** undefined: it is too early to say something new. */
  observe(spec: SessionSpec, snapshot: SessionSnapshot, nowUs: TimeUs): Assessment | undefined {
    const held = this.#sessions.get(spec.session) ?? { meter: new SessionMeter(), said: undefined };
    this.#sessions.set(spec.session, held);
    const measure = held.meter.observe(snapshot, nowUs);
    if (measure === undefined) return undefined;
    this.#rates.measured(measure);
    const wishes = new Map(spec.outgoing.map(({ track, wish }) => [track, wish]));
    const quality = sessionQuality(measure, {
      expectedBps: (track) => usefulBps(this.#rates.of(track), wishes.get(track)),
      heldBack: new Set(heldBackTracks(snapshot)),
    });
    const news = quality !== undefined && isNews(held.said, quality);
    if (news) held.said = quality;
    return { measure, quality, news };
  }

  /** What was last worth telling of a session. */
  said(session: SessionId): ConnectionQuality | undefined {
    return this.#sessions.get(session)?.said;
  }

  forget(session: SessionId): void {
    this.#sessions.delete(session);
    this.#rates.forget(session);
  }
}

/** Tracks that the packet path holds back because the client's network does not carry them. */
export const heldBackTracks = ({ outgoing }: SessionSnapshot): TrackId[] =>
  outgoing.flatMap(({ heldBack, track }) => (heldBack ? [track] : []));

interface TrackRate {
  readonly session: SessionId;
  readonly bps: readonly number[];
  readonly before: readonly number[];
}

/** At which rate each stream of each track of this node came in, over the last two spans. */
class TrackRates {
  readonly #rates = new Map<TrackId, TrackRate>();
  readonly #tracksOf = new Map<SessionId, Set<TrackId>>();

  measured({ session, spanUs, streams }: SessionMeasure): void {
    const bps = new Map<TrackId, number[]>();
    for (const { direction, kind, track, bytes } of streams) {
      if (direction !== 'in' || kind !== 'video') continue;
      bps.set(track, [...(bps.get(track) ?? []), (bytes * 8 * US_PER_S) / spanUs]);
    }
    for (const track of this.#tracksOf.get(session) ?? []) if (!bps.has(track)) this.#rates.delete(track);
    for (const [track, now] of bps) {
      this.#rates.set(track, { session, bps: now, before: this.#rates.get(track)?.bps ?? now });
    }
    if (bps.size > 0) this.#tracksOf.set(session, new Set(bps.keys()));
    else this.#tracksOf.delete(session);
  }

  /** The lower of the two spans: a subscriber's span lies across both, and what was sent in one is not due in the other. */
  of(track: TrackId): number[] {
    const rate = this.#rates.get(track);
    return rate === undefined ? [] : rate.bps.map((now, i) => Math.min(now, rate.before[i] ?? now));
  }

  forget(session: SessionId): void {
    for (const track of this.#tracksOf.get(session) ?? []) this.#rates.delete(track);
    this.#tracksOf.delete(session);
  }
}
