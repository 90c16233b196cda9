import type { TrackId } from '@sluice/contracts';
import type {
  Agreed,
  Answer,
  NegotiatedSpec,
  NegotiationOptions,
  Offer,
  PendingTrack,
  Placement,
  Refusal,
  SiteTransport,
  WantedTrack,
} from './terms.ts';

export * from './terms.ts';

/**
 * The peer connection in which the client offers and we answer: a publisher's, or in single mode the only one.
 *
 * Every call gives the whole new `spec`; its owner publishes it. State changes only when a call succeeds.
 */
export declare class PublisherNegotiation {
  constructor(options: NegotiationOptions);
  /** What of the spec stands now. Before the first offer: no credentials at all; do not publish it. */
  get spec(): NegotiatedSpec;
  /**
   * Answers a client's offer. `pending`: the tracks announced and not yet published, oldest first. A client's ICE
   * restart is seen and answered with new credentials. Wanted tracks (`want`) are placed in sections that receive.
   */
  answer(offerSdp: string, pending: readonly PendingTrack[], site: SiteTransport): Answer | Refusal;
  /**
   * Single mode: says which tracks the client should have from now on, the whole list, most important first. A track
   * keeps its section; one that is no longer wanted leaves the spec at once. When `renegotiate`, send
   * `media_sections_requirement` with `missing` (0, 0 is right too: it asks for an offer).
   */
  want(wanted: readonly WantedTrack[]): Placement;
  /** Ends a publication from our side; its section is answered inactive from now on. */
  revoke(track: TrackId): NegotiatedSpec;
  /** The next answer has new credentials even if the client does not restart. Firefox refuses such an answer. */
  renewCredentials(): void;
}

/** The peer connection in which we offer and the client answers: a subscriber's, in dual mode. */
export declare class SubscriberNegotiation {
  constructor(options: NegotiationOptions);
  get spec(): NegotiatedSpec;
  /** An offer of ours has no answer yet: do not offer again before it came (or the client resumed). */
  get awaitsAnswer(): boolean;
  /** As in `PublisherNegotiation`; when `renegotiate`, offer. */
  want(wanted: readonly WantedTrack[]): Placement;
  /** Writes the offer that brings the sections to what is wanted. A new one replaces one that was never answered. */
  offer(site: SiteTransport, ice: 'keep' | 'restart'): Offer;
  /** Takes the client's answer to the newest offer. */
  takeAnswer(answerSdp: string): Agreed | Refusal;
}
