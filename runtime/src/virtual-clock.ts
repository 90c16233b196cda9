import type { Clock, Timer } from './clock.ts';

interface Pending {
  readonly dueUs: number;
  readonly order: number;
  /** Undefined once it has fired or was cancelled. */
  fire: (() => void) | undefined;
}

/**
 * Time that moves only when told. Timers fire in the order of their deadlines, equal ones in the order they were set,
 * and each sees the time it was set for.
 */
export class VirtualClock implements Clock {
  #nowUs: number;
  readonly #unixMsAtZero: number;
  /** A binary heap, the earliest first. */
  readonly #heap: Pending[] = [];
  #orders = 0;
  #waiting = 0;

  /** Starts at `startUs` on the monotonic clock and at `unixMs` on the wall. */
  constructor(startUs = 1_000_000, unixMs = 1_800_000_000_000) {
    this.#nowUs = startUs;
    this.#unixMsAtZero = unixMs - Math.floor(startUs / 1_000);
  }

  nowUs(): number {
    return this.#nowUs;
  }

  unixMs(): number {
    return this.#unixMsAtZero + Math.floor(this.#nowUs / 1_000);
  }

  setTimer(afterUs: number, fire: () => void): Timer {
    const pending: Pending = { dueUs: this.#nowUs + Math.max(0, afterUs), order: this.#orders++, fire };
    this.#push(pending);
    this.#waiting++;
    return { cancel: () => void this.#take(pending) };
  }

  /** When the next timer fires; undefined when none is set. */
  nextDeadlineUs(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.dueUs;
  }

  /** Timers that have neither fired nor been cancelled. A test that closes everything expects 0. */
  pendingTimers(): number {
    return this.#waiting;
  }

  /** Moves on by `byUs` and fires everything that comes due, including what those timers set. */
  advance(byUs: number): void {
    this.advanceTo(this.#nowUs + byUs);
  }

  advanceTo(untilUs: number): void {
    while (this.#fireNext(untilUs));
    this.#nowUs = Math.max(this.#nowUs, untilUs);
  }

  /** Like `advance`, and lets promises settle before the first, after each and after the last timer. */
  async run(byUs: number): Promise<void> {
    const untilUs = this.#nowUs + byUs;
    await turn();
    while (this.#fireNext(untilUs)) await turn();
    this.#nowUs = Math.max(this.#nowUs, untilUs);
    await turn();
  }

  #fireNext(untilUs: number): boolean {
    this.#dropCancelled();
    const first = this.#heap[0];
    if (first === undefined || first.dueUs > untilUs) return false;
    this.#pop();
    this.#nowUs = Math.max(this.#nowUs, first.dueUs);
    this.#take(first)?.();
    return true;
  }

  #take(pending: Pending): (() => void) | undefined {
    const { fire } = pending;
    if (fire !== undefined) this.#waiting--;
    pending.fire = undefined;
    return fire;
  }

  #dropCancelled(): void {
    for (let first = this.#heap[0]; first !== undefined && first.fire === undefined; first = this.#heap[0]) {
      this.#pop();
    }
  }

  #push(pending: Pending): void {
    const heap = this.#heap;
    let at = heap.push(pending) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfEarlier(at, parent)) return;
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const child = this.#earlier(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfEarlier(child, at)) return;
      at = child;
    }
  }

  #earlier(a: number, b: number): boolean {
    const first = this.#heap[a];
    const second = this.#heap[b];
    if (first === undefined || second === undefined) return false;
    return first.dueUs < second.dueUs || (first.dueUs === second.dueUs && first.order < second.order);
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    const lower = this.#heap[child];
    const upper = this.#heap[parent];
    if (lower === undefined || upper === undefined || !this.#earlier(child, parent)) return false;
    this.#heap[child] = upper;
    this.#heap[parent] = lower;
    return true;
  }
}

/** One turn of the real event loop: every promise that can settle has settled. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
