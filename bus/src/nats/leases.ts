import type { Clock, Timer } from '@sluice/runtime';
import type { Lease } from '../bus.ts';

/** What stands in the store for a lease. It stays after the lease has ended: its epoch is the least of the next. */
export interface LeaseRecord {
  /** Names the process that wrote it. */
  readonly holder: string;
  readonly epoch: number;
  /** How long it lasts from each renewal on; 0: given back. */
  readonly durationUs: number;
}

export interface LeaseEntry {
  /** Changes with each write. */
  readonly revision: number;
  readonly record: LeaseRecord;
}

/** Compare and set. Both reject while the store is away. */
export interface LeaseStore {
  read(name: string): Promise<LeaseEntry | undefined>;
  /** Writes if `revision` is still the newest (0: nothing was ever written); undefined: it is not. */
  write(name: string, record: LeaseRecord, revision: number): Promise<number | undefined>;
}

export interface LeasesOptions {
  readonly clock: Clock;
  /** Unlike that of every other process. */
  readonly holder: string;
  /** The store of the connection that is open now; undefined: none is. */
  readonly store: () => LeaseStore | undefined;
  /** Told of each answer: undefined when the store did what it should, else what it said. */
  readonly answered: (problem: unknown) => void;
}

interface Held {
  readonly name: string;
  readonly epoch: number;
  readonly durationUs: number;
  readonly lost: () => void;
  revision: number;
  /** After it, another may own the name. */
  expiresUs: number;
  expiry: Timer;
  renewal: Timer | undefined;
  renewing: Promise<void> | undefined;
  /** The store was away meanwhile and may have been wiped: its revisions may mean something else now. */
  doubted: boolean;
}

interface Seen {
  readonly revision: number;
  readonly sinceUs: number;
}

/** A lease is renewed three times within its duration, so that two renewals may fail (as NATS' own heartbeats do). */
const RENEWALS = 3;

/**
 * Leases by compare-and-set on a store that knows no time. Whoever wants a name counts by its own clock how long its
 * record stood unchanged; the holder counts from before it asked for its renewal. So no two clocks need agree, and the
 * holder stops before anyone else begins. Epochs are wall-clock milliseconds, or one above the last where that is
 * higher: they go on growing when the store is wiped.
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #held = new Map<string, Held>();
  readonly #seen = new Map<string, Seen>();
  readonly #asking = new Set<string>();
  #returnedUs = Number.NEGATIVE_INFINITY;
  #open = true;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** How many it holds. */
  get size(): number {
    return this.#held.size;
  }

  async acquire(name: string, durationUs: number, lost: () => void): Promise<Lease | undefined> {
    const store = this.#options.store();
    if (store === undefined || this.#held.has(name) || this.#asking.has(name)) return undefined;
    this.#asking.add(name);
    try {
      return await this.#take(store, { name, durationUs, lost });
    } catch (problem) {
      this.#options.answered(problem);
      return undefined;
    } finally {
      this.#asking.delete(name);
    }
  }

  /** The store was away and is back: whoever held a lease makes sure of it at once. */
  returned(): void {
    this.#returnedUs = this.#options.clock.nowUs();
    this.#seen.clear();
    for (const held of this.#held.values()) {
      held.doubted = true;
      void this.#renew(held);
    }
  }

  /** Gives everything back, if the store is there. */
  async close(): Promise<void> {
    this.#open = false;
    await Promise.all([...this.#held.values()].map((held) => this.#release(held)));
  }

  async #take(
    store: LeaseStore,
    { name, durationUs, lost }: Pick<Held, 'name' | 'durationUs' | 'lost'>,
  ): Promise<Lease | undefined> {
    const { clock, holder, answered } = this.#options;
    const entry = await store.read(name);
    answered(undefined);
    if (!this.#isFree(name, durationUs, entry)) return undefined;
    const askedUs = clock.nowUs();
    const epoch = Math.max(clock.unixMs(), (entry?.record.epoch ?? 0) + 1);
    const revision = await store.write(name, { holder, epoch, durationUs }, entry?.revision ?? 0);
    if (revision === undefined) return undefined;
    this.#seen.delete(name);
    const held: Held = {
      name,
      epoch,
      durationUs,
      lost,
      revision,
      expiresUs: askedUs + durationUs,
      expiry: clock.setTimer(askedUs + durationUs - clock.nowUs(), () => this.#expired(held)),
      renewal: undefined,
      renewing: undefined,
      doubted: false,
    };
    this.#held.set(name, held);
    this.#renewLater(held);
    if (!this.#open) await this.#release(held);
    return this.#open ? { name, epoch, release: () => this.#release(held) } : undefined;
  }

  #isFree(name: string, durationUs: number, entry: LeaseEntry | undefined): boolean {
    const nowUs = this.#options.clock.nowUs();
    // A store that was wiped knows nothing: whoever held the name before is let have it again.
    if (entry === undefined) return nowUs - this.#returnedUs >= durationUs;
    if (entry.record.durationUs === 0) return true;
    const seen = this.#seen.get(name);
    if (seen?.revision === entry.revision) return nowUs - seen.sinceUs >= entry.record.durationUs;
    this.#seen.set(name, { revision: entry.revision, sinceUs: nowUs });
    return false;
  }

  #renewLater(held: Held): void {
    held.renewal?.cancel();
    held.renewal = this.#options.clock.setTimer(held.durationUs / RENEWALS, () => void this.#renew(held));
  }

  async #renew(held: Held): Promise<void> {
    if (held.renewing !== undefined || !this.#isHeld(held)) return;
    held.renewing = this.#tryRenewing(held).catch(this.#options.answered);
    await held.renewing;
    held.renewing = undefined;
    if (this.#isHeld(held)) this.#renewLater(held);
  }

  async #tryRenewing(held: Held): Promise<void> {
    const store = this.#options.store();
    if (store === undefined) return;
    if (!held.doubted && (await this.#write(store, held))) return;
    // A renewal whose answer was lost has changed the revision too; and a wiped store knows nothing of it.
    const entry = await store.read(held.name);
    if (entry !== undefined && (entry.record.holder !== this.#options.holder || entry.record.epoch !== held.epoch)) {
      this.#end(held, 'lost');
      return;
    }
    held.revision = entry?.revision ?? 0;
    held.doubted = false;
    await this.#write(store, held);
  }

  async #write(store: LeaseStore, held: Held): Promise<boolean> {
    const { clock, holder, answered } = this.#options;
    const { name, epoch, durationUs } = held;
    const askedUs = clock.nowUs();
    const revision = await store.write(name, { holder, epoch, durationUs }, held.revision);
    answered(undefined);
    if (revision === undefined) return false;
    held.revision = revision;
    if (!this.#isHeld(held)) return true;
    held.expiresUs = askedUs + durationUs;
    held.expiry.cancel();
    held.expiry = clock.setTimer(held.expiresUs - clock.nowUs(), () => this.#expired(held));
    return true;
  }

  #expired(held: Held): void {
    this.#end(held, 'lost');
  }

  async #release(held: Held): Promise<void> {
    if (!this.#isHeld(held)) return;
    this.#end(held, 'released');
    await held.renewing;
    const { name, epoch, revision } = held;
    try {
      await this.#options.store()?.write(name, { holder: this.#options.holder, epoch, durationUs: 0 }, revision);
    } catch (problem) {
      this.#options.answered(problem); // it runs out by itself
    }
  }

  #isHeld(held: Held): boolean {
    return this.#held.get(held.name) === held;
  }

  #end(held: Held, why: 'released' | 'lost'): void {
    if (!this.#isHeld(held)) return;
    this.#held.delete(held.name);
    held.expiry.cancel();
    held.renewal?.cancel();
    if (why === 'lost') held.lost();
  }
}
