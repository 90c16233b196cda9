import type { Clock, Timer } from '@sluice/runtime';
import type { Lease } from './bus.ts';

interface Held {
  readonly holder: object;
  readonly epoch: number;
  expiresUs: number;
  end(why: 'released' | 'lost'): void;
}

export interface LeaseWish {
  readonly name: string;
  readonly durationUs: number;
  readonly lost: () => void;
  readonly holder: object;
  /** Whether the holder can reach the table now: renewals of one that cannot fail. */
  readonly reachable: () => boolean;
}

/** A lease is renewed three times within its duration, so that two renewals may fail (as NATS' own heartbeats do). */
const RENEWALS = 3;

/** Who owns what, for processes that share this one. */
export class LeaseTable {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  /** One counter for all names: an epoch is higher than every earlier one of its name, and nothing is kept per name. */
  #lastEpoch = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  acquire(wish: LeaseWish): Lease | undefined {
    const held = this.#held.get(wish.name);
    if (held !== undefined && held.expiresUs > this.#clock.nowUs()) return undefined;
    held?.end('lost');
    return this.#grant(wish);
  }

  /** All leases of one holder, as when its process ends in order. */
  releaseAll(holder: object): void {
    for (const held of [...this.#held.values()]) if (held.holder === holder) held.end('released');
  }

  /** How many leases are held now. */
  get size(): number {
    return this.#held.size;
  }

  #grant({ name, durationUs, lost, holder, reachable }: LeaseWish): Lease {
    const epoch = ++this.#lastEpoch;
    let timer: Timer | undefined;
    const held: Held = {
      holder,
      epoch,
      expiresUs: this.#clock.nowUs() + durationUs,
      end: (why) => {
        if (timer === undefined) return;
        timer.cancel();
        timer = undefined;
        if (this.#held.get(name) === held) this.#held.delete(name);
        if (why === 'lost') lost();
      },
    };
    // Late timers are no loss: as long as nobody took the lease meanwhile, renewing it late still proves ownership.
    const renew = (): void => {
      if (reachable()) held.expiresUs = this.#clock.nowUs() + durationUs;
      const restUs = held.expiresUs - this.#clock.nowUs();
      if (restUs <= 0) held.end('lost');
      else timer = this.#clock.setTimer(Math.min(durationUs / RENEWALS, restUs), renew);
    };
    this.#held.set(name, held);
    timer = this.#clock.setTimer(durationUs / RENEWALS, renew);
    return { name, epoch, release: async () => held.end('released') };
  }
}
