import type { TrackId, TrackView, TrackWant, WantedQuality } from '@sluice/contracts';
import { wantedQualities } from '@sluice/contracts';

/** Layers that nobody has had a use for so long are turned off; the stock server waits as long. */
export const OFF_AFTER_US = 5_000_000;
/** The first time it takes longer: whoever publishes into a room is mostly about to be subscribed to. */
export const FIRST_OFF_AFTER_US = 10_000_000;

/** What a publisher should send of a track, up to this quality. */
export interface LayerOrder {
  readonly track: TrackId;
  readonly mimeType: string;
  readonly upTo: WantedQuality;
}

interface Published {
  readonly view: TrackView;
  wanted: WantedQuality;
  /** What the client was last told, or what it does without being told. */
  told: WantedQuality;
  everTold: boolean;
  /** Since when it sends more than anyone has a use for. */
  tooMuchSinceUs: number | undefined;
  subscribed: 'never' | 'untold' | 'told';
}

/**
 * What one publisher is told of the use that its tracks have: that somebody receives them, and which of their layers are
 * worth sending. More is asked for at once, less only after a while.
 */
export class Dynacast {
  readonly #tracks = new Map<TrackId, Published>();

  /** What the room says of the publisher's tracks. */
  see(views: readonly TrackView[], wanted: readonly TrackWant[], nowUs: number): void {
    const wants = new Map(wanted.map(({ track, quality }) => [track, quality]));
    const there = new Set(views.map(({ track }) => track));
    for (const track of this.#tracks.keys()) if (!there.has(track)) this.#tracks.delete(track);
    for (const view of views) {
      const before = this.#tracks.get(view.track);
      const want = wants.get(view.track);
      const subscribed = before?.subscribed ?? 'never';
      const told = before?.told ?? 'high';
      const tooMuch = rank(want ?? 'off') < rank(told);
      this.#tracks.set(view.track, {
        view,
        wanted: want ?? 'off',
        told,
        everTold: before?.everTold ?? false,
        tooMuchSinceUs: tooMuch ? (before?.tooMuchSinceUs ?? nowUs) : undefined,
        subscribed: want !== undefined && subscribed === 'never' ? 'untold' : subscribed,
      });
    }
  }

  /** Tracks that have their first subscriber; each is told once. */
  takeSubscribed(): TrackId[] {
    const first = [...this.#tracks.values()].filter(({ subscribed }) => subscribed === 'untold');
    for (const published of first) published.subscribed = 'told';
    return first.map(({ view }) => view.track);
  }

  /** What the client is to be told now. */
  takeOrders(nowUs: number): LayerOrder[] {
    const due = [...this.#tracks.values()].filter(
      (published) => isLayered(published.view) && (isTooLittle(published) || (offUs(published) ?? Infinity) <= nowUs),
    );
    for (const published of due) {
      published.told = published.wanted;
      published.everTold = true;
      published.tooMuchSinceUs = undefined;
    }
    return due.map(({ view: { track, mimeType }, told }) => ({ track, mimeType, upTo: told }));
  }

  /** When layers are to be turned off next. */
  nextUs(): number | undefined {
    const times = [...this.#tracks.values()].flatMap((published) =>
      isLayered(published.view) ? (offUs(published) ?? []) : [],
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

/** Only who announced layers can turn some of them off. */
const isLayered = ({ kind, layers }: TrackView): boolean => kind === 'video' && layers.length > 0;

const isTooLittle = ({ wanted, told }: Published): boolean => rank(wanted) > rank(told);

const offUs = ({ tooMuchSinceUs, everTold }: Published): number | undefined =>
  tooMuchSinceUs === undefined ? undefined : tooMuchSinceUs + (everTold ? OFF_AFTER_US : FIRST_OFF_AFTER_US);

const rank = (quality: WantedQuality): number => wantedQualities.indexOf(quality);
