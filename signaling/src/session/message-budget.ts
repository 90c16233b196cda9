/** So many of something at once, and so many a second in the long run. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket: tells whether one more is within the rate. */
export class MessageBudget {
  readonly #rate: Rate;
  #left: number;
  #atUs: number;

  constructor(rate: Rate, nowUs: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#atUs = nowUs;
  }

  take(nowUs: number): boolean {
    const gained = ((nowUs - this.#atUs) * this.#rate.perSecond) / 1_000_000;
    this.#left = Math.min(this.#rate.burst, this.#left + gained);
    this.#atUs = nowUs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
