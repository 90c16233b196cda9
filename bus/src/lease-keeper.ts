import type { Clock, Timer } from '@sluice/runtime';
import type { Bus, Lease } from './bus.ts';

export interface LeaseKeeperOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly names: readonly string[];
  /** How long others wait for a holder that died. */
  readonly durationUs: number;
  /** How often it tries for those that others hold. */
  readonly retryUs: number;
  readonly owned: (name: string, epoch: number) => void;
  /** Another may own it from now on: stop at once. */
  readonly lost: (name: string) => void;
}

/** Holds as many of the named leases as it can get, and goes on trying for the rest. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #leases = new Map<string, Lease>();
  #timer: Timer | undefined;
  #open = true;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** How many it holds. */
  get size(): number {
    return this.#leases.size;
  }

  /** Tries for every lease, now and from then on. Resolves after the first try. */
  async start(): Promise<void> {
    if (!this.#open) return;
    const wanted = this.#options.names.filter((name) => !this.#leases.has(name));
    await Promise.all(wanted.map((name) => this.#try(name)));
    const { clock, retryUs } = this.#options;
    if (this.#open) this.#timer = clock.setTimer(retryUs, () => void this.start());
  }

  /** Gives everything back; `lost` is not called. */
  async close(): Promise<void> {
    this.#open = false;
    this.#timer?.cancel();
    const leases = [...this.#leases.values()];
    this.#leases.clear();
    await Promise.all(leases.map((lease) => lease.release()));
  }

  async #try(name: string): Promise<void> {
    const { bus, durationUs, owned, lost } = this.#options;
    const lease = await bus.acquire(name, durationUs, () => {
      if (this.#leases.delete(name)) lost(name);
    });
    if (lease === undefined) return;
    if (!this.#open) return lease.release();
    this.#leases.set(name, lease);
    owned(name, lease.epoch);
  }
}
