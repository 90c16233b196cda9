import { type Clock, type RandomBytes, type Timer, uniform } from '@sluice/runtime';

/** Before each attempt, as livekit-client waits; the first is spread over half a second. */
const DELAYS_MS = [0, 300, 1_200, 2_700, 4_800, 7_000, 7_000, 7_000, 7_000, 7_000];
const FIRST_SPREAD_MS = 500;
/** Every other one is varied by so much. */
const SPREAD = 0.5;

/** When a client tries again, and when it gives up. */
export class Reconnecting {
  readonly #clock: Clock;
  readonly #random: RandomBytes;
  #attempts = 0;
  #timer: Timer | undefined;
  /** Attempts that were planned, ever. */
  resumes = 0;
  rejoins = 0;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: RandomBytes }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** False when there were too many in a row. A later plan replaces an earlier one. */
  plan(what: 'resume' | 'rejoin', attempt: () => void): boolean {
    this.#timer?.cancel();
    const delayMs = DELAYS_MS[this.#attempts];
    if (delayMs === undefined) return false;
    this.#attempts++;
    if (what === 'resume') this.resumes++;
    else this.rejoins++;
    const share = uniform(this.#random);
    const waitMs = delayMs === 0 ? share * FIRST_SPREAD_MS : delayMs * (1 - SPREAD + 2 * SPREAD * share);
    this.#timer = this.#clock.setTimer(Math.round(waitMs * 1000), attempt);
    return true;
  }

  succeeded(): void {
    this.#attempts = 0;
    this.#timer?.cancel();
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
