import { VirtualClock } from '@sluice/runtime/internal';

/**
 * The simulation's time. It stands still while something of the real world is awaited: signatures are made by the
 * system's threads, and must seem to take no time.
 */
export class SimTime {
  readonly clock: VirtualClock;
  readonly #awaited = new Set<Promise<unknown>>();

  constructor(clock: VirtualClock = new VirtualClock()) {
    this.clock = clock;
  }

  get nowS(): number {
    return this.clock.nowUs() / 1_000_000;
  }

  /** Time does not move before this settles. */
  await<T>(work: Promise<T>): Promise<T> {
    const settled: Promise<void> = work.then(
      () => void this.#awaited.delete(settled),
      () => void this.#awaited.delete(settled),
    );
    this.#awaited.add(settled);
    return work;
  }

  /** Moves on; everything that comes due is done, and every promise that it made settles before time goes on. */
  async run(byUs: number): Promise<void> {
    const untilUs = this.clock.nowUs() + byUs;
    await this.#settle();
    for (let next = this.clock.nextDeadlineUs(); next !== undefined && next <= untilUs; ) {
      this.clock.advanceTo(next);
      await this.#settle();
      next = this.clock.nextDeadlineUs();
    }
    this.clock.advanceTo(untilUs);
  }

  /** Moves on until `done` settles; fails when that takes longer than `withinUs`. */
  async until<T>(done: Promise<T>, withinUs: number, what: string): Promise<T> {
    const endUs = this.clock.nowUs() + withinUs;
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    done.then(mark, mark);
    while (!settled && this.clock.nowUs() < endUs) await this.run(STEP_US);
    if (!settled) throw new Error(`simulation: ${what} took longer than ${withinUs / 1_000_000} s`);
    return await done;
  }

  async #settle(): Promise<void> {
    await turn();
    while (this.#awaited.size > 0) {
      await Promise.all(this.#awaited);
      await turn();
    }
  }
}

const STEP_US = 10_000;

/** One turn of the real event loop: every promise that can settle without the real world has settled. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
