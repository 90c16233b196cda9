import { type Clock, type RandomBytes, type Timer, uniform } from '@sluice/runtime';
import type { Crowd, Departure } from './crowd.ts';
import { isConnected } from './measure.ts';
import { successorOf } from './plan.ts';

export interface ChurnOptions {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly crowd: Crowd;
  readonly perMinute: number;
}

const inTurn: readonly Departure[] = ['leave', 'crash', 'vanish'];
const MINUTE_US = 60_000_000;

/** People come and go: at a steady rate someone who is there goes, and someone else comes into the same room. */
export class Churn {
  readonly #options: ChurnOptions;
  #timer: Timer | undefined;
  #went = 0;

  constructor(options: ChurnOptions) {
    this.#options = options;
    this.#next();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #next(): void {
    const { clock, perMinute } = this.#options;
    this.#timer = clock.setTimer(MINUTE_US / perMinute, () => {
      this.#one();
      this.#next();
    });
  }

  #one(): void {
    const { crowd, random } = this.#options;
    const there = crowd.clients.filter(isConnected);
    const client = there[Math.floor(uniform(random) * there.length)];
    if (client === undefined) return;
    crowd.go(client, inTurn[this.#went++ % inTurn.length] ?? 'leave');
    crowd.come(successorOf(client.member));
  }
}
