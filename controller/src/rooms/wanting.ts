import { type TrackId, type TrackWant, type WantedQuality, wantedQualities } from '@sluice/contracts';

/** How many want a track, by quality. */
type Counts = Record<WantedQuality, number>;

/**
 * What the members of a room want of its tracks, added up: a track is wanted as well as whoever wants it best. Only sums
 * are kept, so that the order in which members say what they want does not matter.
 */
export class Wanting {
  readonly #counts = new Map<TrackId, Counts>();

  /** A member wants these instead of those. Tells the tracks whose best changed. */
  replace(before: readonly TrackWant[], after: readonly TrackWant[]): TrackId[] {
    const tracks = new Set([...before, ...after].map(({ track }) => track));
    const best = new Map([...tracks].map((track) => [track, this.best(track)]));
    for (const want of before) this.#add(want, -1);
    for (const want of after) this.#add(want, 1);
    return [...tracks].filter((track) => this.best(track) !== best.get(track));
  }

  /** undefined: nobody wants it. */
  best(track: TrackId): WantedQuality | undefined {
    const counts = this.#counts.get(track);
    return counts === undefined ? undefined : wantedQualities.findLast((quality) => counts[quality] > 0);
  }

  /** Of these tracks, those that are wanted. */
  of(tracks: readonly { readonly track: TrackId }[]): TrackWant[] {
    return tracks.flatMap(({ track }) => {
      const quality = this.best(track);
      return quality === undefined ? [] : [{ track, quality }];
    });
  }

  /** Tracks that anyone wants. */
  get size(): number {
    return this.#counts.size;
  }

  #add({ track, quality }: TrackWant, by: 1 | -1): void {
    const counts = this.#counts.get(track) ?? { off: 0, low: 0, medium: 0, high: 0 };
    counts[quality] += by;
    if (wantedQualities.every((each) => counts[each] === 0)) this.#counts.delete(track);
    else this.#counts.set(track, counts);
  }
}
