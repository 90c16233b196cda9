import type { ConnectionQuality, SessionSpec, TrackId } from '@sluice/contracts';
import { US_PER_S } from '@sluice/contracts';
import { audioRating, opinionScore, qualityOf, videoRating } from './score.ts';
import type { SessionMeasure, StreamMeasure } from './session-meter.ts';

/** Clients check consent at least every 6 s (RFC 7675 §5.1): who sends nothing for so long is cut off. */
export const LOST_AFTER_US = 8 * US_PER_S;
/** Of fewer packets in a span a share lost says nothing: a muted microphone, a still slide. */
const FEWEST_PACKETS = 20;
/** A score that moved by less is no news. */
const SCORE_STEP = 0.3;

/** What a session's subscriptions are up against. */
export interface Expectations {
  /** Rate at which the track comes in at this node, as far as the subscriber has a use for it; undefined: not known. */
  expectedBps(track: TrackId): number | undefined;
  /** Tracks that are held back for lack of bandwidth. */
  readonly heldBack: ReadonlySet<TrackId>;
}

/** How well media comes through, both ways: as well as its worst stream. undefined: there was nothing to judge by. */
export function sessionQuality(measure: SessionMeasure, expectations: Expectations): ConnectionQuality | undefined {
  if (measure.silentUs >= LOST_AFTER_US) return { quality: 'lost', score: 1 };
  const ratings = measure.streams.flatMap((stream) => streamRating(stream, measure, expectations) ?? []);
  if (ratings.length === 0) return undefined;
  const worst = Math.min(...ratings);
  return { quality: qualityOf(worst), score: Math.round(opinionScore(worst) * 100) / 100 };
}

/** Is it worth telling? */
export const isNews = (before: ConnectionQuality | undefined, now: ConnectionQuality): boolean =>
  before === undefined || before.quality !== now.quality || Math.abs(before.score - now.score) >= SCORE_STEP;

function streamRating(
  stream: StreamMeasure,
  { rttMs, spanUs }: SessionMeasure,
  expectations: Expectations,
): number | undefined {
  const { direction, track, kind, packets, bytes, lost, jitterMs, state } = stream;
  if (direction === 'out' && expectations.heldBack.has(track)) return 0;
  const due = direction === 'in' ? packets + lost : packets;
  if (due < FEWEST_PACKETS) return undefined;
  const impairments = { lossShare: Math.min(1, lost / due), rttMs, jitterMs };
  if (kind === 'audio') return audioRating(impairments);
  const expectedBps = direction === 'out' && state === 'flowing' ? expectations.expectedBps(track) : undefined;
  const bps = (bytes * 8 * US_PER_S) / spanUs;
  return videoRating(impairments, expectedBps === undefined || expectedBps === 0 ? 1 : Math.min(1, bps / expectedBps));
}

/** Which of a track's streams a subscriber has a use for, by their rates; undefined: that cannot be said. */
export function usefulBps(rates: readonly number[], wish: SessionSpec['outgoing'][number]['wish']): number | undefined {
  const sent = rates.filter((bps) => bps > 0).sort((a, b) => a - b);
  // Fewer frames, or the lower layers of one stream, have a rate of their own that nobody told.
  if (sent.length === 0 || (wish !== undefined && wish.maxFps > 0)) return undefined;
  if (wish === undefined || wish.quality === 'high') return sent.at(-1);
  if (sent.length === 1) return undefined;
  return wish.quality === 'low' ? sent[0] : sent[Math.min(1, sent.length - 1)];
}
