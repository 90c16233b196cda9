import type { TimeUs } from '@sluice/contracts';
import { US_PER_S } from '@sluice/contracts';

/** A client checks a session for some seconds before it gives up: its spec should be asked for at once. */
const FIRST_INTERVAL_US = US_PER_S;
/** Noise must not make every writer of a site repeat itself: questions that bring nothing become rare. */
const LONGEST_INTERVAL_US = 60 * US_PER_S;
/** Fragments whose spec may still come. */
const REMEMBERED = 256;

/**
 * Decides when to ask for the site's specs again because a check named an unknown username fragment: at once for the
 * first, then ever more rarely as long as the answers bring no spec that was asked for.
 */
export class UnknownFragments {
  readonly #fragments = new Set<string>();
  #intervalUs = FIRST_INTERVAL_US;
  #askedUs = -LONGEST_INTERVAL_US;

  /** True: ask now. */
  seen(usernameFragment: string, nowUs: TimeUs): boolean {
    this.#fragments.add(usernameFragment);
    const [oldest] = this.#fragments;
    if (this.#fragments.size > REMEMBERED && oldest !== undefined) this.#fragments.delete(oldest);
    if (nowUs - this.#askedUs < this.#intervalUs) return false;
    this.#askedUs = nowUs;
    this.#intervalUs = Math.min(2 * this.#intervalUs, LONGEST_INTERVAL_US);
    return true;
  }

  /** A spec came. If it was one that a client had asked for, questions are worth asking. */
  known(usernameFragments: readonly string[]): void {
    for (const fragment of usernameFragments) {
      if (this.#fragments.delete(fragment)) this.#intervalUs = FIRST_INTERVAL_US;
    }
  }
}
