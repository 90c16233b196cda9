import type { Clock } from '@sluice/runtime';
import type { Link } from '../network/link.ts';

/**
 * A download through a link, as Reno does it (RFC 5681): a window that grows by one segment a round trip and is halved
 * by loss. Acknowledgements come back without loss after the same delay.
 */
export class Competitor {
  /** That arrived. */
  bytes = 0;
  readonly #clock: Clock;
  readonly #link: Link;
  #window = FIRST_WINDOW;
  #threshold = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #next = 0;
  /** Losses of what was sent before this number are of one event. */
  #recovery = 0;
  #over = false;

  constructor(clock: Clock, link: Link) {
    this.#clock = clock;
    this.#link = link;
  }

  start(): void {
    this.#send();
  }

  stop(): void {
    this.#over = true;
  }

  #send(): void {
    while (!this.#over && this.#inFlight < Math.floor(this.#window)) {
      const number = this.#next++;
      this.#inFlight += 1;
      const nowUs = this.#clock.nowUs();
      let arrived = false;
      this.#link.send(SEGMENT, nowUs, {
        deliver: (atUs) => {
          arrived = true;
          const backUs = this.#link.delayUs;
          this.#clock.setTimer(Math.max(1, atUs - nowUs) + backUs, () => this.#acknowledged());
        },
      });
      // Duplicate acknowledgements tell of a loss about a round trip later.
      if (!arrived) {
        const afterUs = this.#link.waitingUs(nowUs) + 2 * this.#link.delayUs + LOSS_NOTICED_US;
        this.#clock.setTimer(afterUs, () => this.#lost(number));
      }
    }
  }

  #acknowledged(): void {
    this.#inFlight -= 1;
    this.bytes += SEGMENT.length;
    this.#window += this.#window < this.#threshold ? 1 : 1 / this.#window;
    this.#send();
  }

  #lost(number: number): void {
    this.#inFlight -= 1;
    if (number >= this.#recovery) {
      this.#threshold = Math.max(2, this.#window / 2);
      this.#window = this.#threshold;
      this.#recovery = this.#next;
    }
    this.#send();
  }
}

const SEGMENT = new Uint8Array(1_400);
/** RFC 6928. */
const FIRST_WINDOW = 10;
/** The link may not delay at all: then nothing would move. */
const LOSS_NOTICED_US = 1_000;
