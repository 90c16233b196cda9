import { SessionDescription } from '@livekit/protocol';
import type { Clock, Timer } from '@sluice/runtime';
import type { PeerConnection, Taken } from './peer-connection.ts';

export interface NegotiatorOptions {
  readonly clock: Clock;
  readonly connection: PeerConnection;
  readonly send: (offer: SessionDescription) => void;
  /** The server does not answer. */
  readonly overdue: () => void;
}

/** As livekit-client waits, so that several changes make one offer. */
const DEBOUNCE_US = 20_000;
const ANSWER_WITHIN_US = 15_000_000;

/** The offering side of one connection: one offer at a time, the next when something changed meanwhile. */
export class Negotiator {
  readonly connection: PeerConnection;
  readonly #options: NegotiatorOptions;
  #lastId = 0;
  #waiting = false;
  #again = false;
  #debounce: Timer | undefined;
  #answer: Timer | undefined;

  constructor(options: NegotiatorOptions) {
    this.#options = options;
    this.connection = options.connection;
  }

  /** An offer that goes another way, as with the join. */
  takeOffer(): SessionDescription {
    this.#waiting = true;
    this.#again = false;
    this.#debounce?.cancel();
    this.#debounce = undefined;
    this.#answer?.cancel();
    this.#answer = this.#options.clock.setTimer(ANSWER_WITHIN_US, this.#options.overdue);
    this.#lastId++;
    return new SessionDescription({ type: 'offer', sdp: this.connection.local.offer(), id: this.#lastId });
  }

  /** Something changed: an offer goes out soon. */
  negotiate(): void {
    if (this.#waiting) {
      this.#again = true;
      return;
    }
    this.#debounce ??= this.#options.clock.setTimer(DEBOUNCE_US, () => {
      this.#debounce = undefined;
      this.#options.send(this.takeOffer());
    });
  }

  /** Whatever was asked before is void; the next offer goes out at once. */
  offerNow(): void {
    this.#options.send(this.takeOffer());
  }

  takeAnswer({ id, sdp, midToTrackId }: SessionDescription): Taken {
    // An answer to an older offer is of no consequence.
    if (!this.#waiting || id !== this.#lastId) return { ok: true };
    this.#answer?.cancel();
    const taken = this.connection.takeAnswer(sdp, midToTrackId);
    this.#waiting = false;
    if (this.#again) {
      this.#again = false;
      this.negotiate();
    }
    return taken;
  }

  /** The link is gone: nothing is awaited. */
  pause(): void {
    this.#debounce?.cancel();
    this.#debounce = undefined;
    this.#answer?.cancel();
  }
}
