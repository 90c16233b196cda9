import type { Clock, Timer } from '@sluice/runtime';
import type { Link } from './link.ts';
import type { SeededRandom } from './random.ts';

export interface StreamOptions {
  readonly clock: Clock;
  readonly link: Link;
  readonly random: SeededRandom;
  readonly roundTripUs: () => number;
  readonly ended: () => void;
}

/** The least retransmission timeout of common systems, and how far it backs off while a path is down. */
const MIN_TIMEOUT_US = 200_000;
const MAX_TIMEOUT_US = 4_000_000;

/**
 * One direction of a TCP connection, as its users see it: everything arrives, in order, later when something was lost.
 * Not a model of TCP's bandwidth: messages of signaling are few and small.
 */
export class Stream {
  readonly #options: StreamOptions;
  readonly #queue: (() => void)[] = [];
  #timer: Timer | undefined;
  #timeouts = 0;
  #closed = false;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** `arrive` runs when everything before it has arrived too. */
  send(arrive: () => void): void {
    if (this.#closed) return;
    this.#queue.push(arrive);
    if (this.#timer === undefined) this.#pump();
  }

  /** What has not arrived never will. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#queue.length = 0;
    this.#options.ended();
  }

  #pump(): void {
    if (this.#queue.length === 0) return;
    const { clock, link, roundTripUs } = this.#options;
    const delayUs = link.passage();
    if (delayUs === undefined) {
      const timeoutUs = Math.max(MIN_TIMEOUT_US, 2 * roundTripUs()) * 2 ** this.#timeouts;
      this.#timeouts += 1;
      this.#timer = clock.setTimer(Math.min(timeoutUs, MAX_TIMEOUT_US), () => this.#again());
      return;
    }
    this.#timeouts = 0;
    // All that waits goes in one flight.
    const flight = this.#queue.splice(0);
    this.#timer = clock.setTimer(delayUs, () => {
      for (const arrive of flight) if (!this.#closed) arrive();
      this.#again();
    });
  }

  #again(): void {
    this.#timer = undefined;
    if (!this.#closed) this.#pump();
  }
}
