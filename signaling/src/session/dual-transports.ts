import { SessionDescription } from '@livekit/protocol';
import type { Permissions, SessionId, TrackId } from '@sluice/contracts';
import {
  type PendingTrack,
  type Placement,
  PublisherNegotiation,
  SubscriberNegotiation,
  type WantedTrack,
} from '../negotiation/index.ts';
import {
  ANSWER_WITHIN_US,
  nothingSettled,
  sessionSpec,
  type TransportOptions,
  type TransportResult,
  type TransportSink,
  type Transports,
  type TransportTurn,
} from './transports.ts';

/**
 * Two peer connections: the client offers the publisher's, we offer the subscriber's. Whoever may not subscribe has the
 * publisher's alone, which then is what its data comes over.
 */
export class DualTransports implements Transports {
  readonly primary: SessionId;
  readonly #options: TransportOptions;
  readonly #publisherId: SessionId;
  readonly #publisher: PublisherNegotiation;
  readonly #subscriberId: SessionId;
  readonly #subscriber: SubscriberNegotiation | undefined;
  #permissions: Permissions;
  #publisherSaid = false;
  #subscriberSaid = false;
  #started = false;
  /** Number of our newest offer; the answer echoes it. */
  #offerId = 0;
  #offeredUs: number | undefined;
  #subscribed: ReadonlySet<TrackId> = new Set();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#permissions = options.permissions;
    this.#publisherId = options.makeSessionId();
    this.#publisher = new PublisherNegotiation(options.negotiation);
    this.#subscriberId = options.makeSessionId();
    this.#subscriber = options.permissions.canSubscribe ? new SubscriberNegotiation(options.negotiation) : undefined;
    this.primary = this.#subscriber === undefined ? this.#publisherId : this.#subscriberId;
  }

  get sessions(): SessionId[] {
    return [this.#publisherId, this.#subscriberId];
  }

  get subscribed(): ReadonlySet<TrackId> {
    return this.#subscribed;
  }

  get overdueUs(): number | undefined {
    return this.#offeredUs === undefined ? undefined : this.#offeredUs + ANSWER_WITHIN_US;
  }

  start(turn: TransportTurn): void {
    this.#started = true;
    this.#offer(turn, 'keep');
  }

  takeOffer(
    offer: SessionDescription,
    pending: readonly PendingTrack[],
    { site, out }: TransportTurn,
  ): TransportResult {
    const answer = this.#publisher.answer(offer.sdp, pending, site);
    if (!answer.ok) return answer;
    this.#publisherSaid = true;
    this.#sayPublisher(out);
    out.send({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: answer.sdp, id: offer.id }) });
    return { ok: true, outcome: { ...answer, unsupported: [] } };
  }

  takeAnswer(answer: SessionDescription, turn: TransportTurn): TransportResult {
    const outcome = { ...nothingSettled, unsupported: [] };
    // Zero is what clients say that number nothing; any other number belongs to one offer.
    if (answer.id !== 0 && answer.id !== this.#offerId) return { ok: true, outcome };
    if (this.#subscriber === undefined)
      return { ok: false, reason: 'no-offer', detail: 'there is no subscriber connection' };
    const agreed = this.#subscriber.takeAnswer(answer.sdp);
    if (!agreed.ok) return agreed;
    this.#offeredUs = undefined;
    this.#placed(agreed, turn);
    return { ok: true, outcome: { ...outcome, unsupported: agreed.unsupported } };
  }

  want(wanted: readonly WantedTrack[], turn: TransportTurn): readonly TrackId[] {
    if (this.#subscriber === undefined) return [];
    const placement = this.#subscriber.want(wanted);
    this.#placed(placement, turn);
    return placement.unsupported;
  }

  pause(): void {
    this.#started = false;
    this.#offeredUs = undefined;
  }

  resume(turn: TransportTurn): void {
    this.#started = true;
    this.#offer(turn, 'restart');
  }

  revoke(track: TrackId, out: TransportSink): void {
    this.#publisher.revoke(track);
    this.#sayPublisher(out);
  }

  setPermissions(permissions: Permissions, out: TransportSink): void {
    this.#permissions = permissions;
    this.#sayPublisher(out);
    this.#saySubscriber(out);
  }

  drop(out: TransportSink): void {
    if (this.#publisherSaid) out.dropSpec(this.#publisherId);
    if (this.#subscriberSaid) out.dropSpec(this.#subscriberId);
  }

  #placed({ renegotiate }: Placement, turn: TransportTurn): void {
    this.#saySubscriber(turn.out);
    if (renegotiate && this.#started && this.#subscriber?.awaitsAnswer === false) this.#offer(turn, 'keep');
  }

  #offer({ site, nowUs, out }: TransportTurn, ice: 'keep' | 'restart'): void {
    if (this.#subscriber === undefined) return;
    const { sdp, midToTrackId } = this.#subscriber.offer(site, ice);
    this.#offerId++;
    this.#offeredUs = nowUs;
    this.#subscriberSaid = true;
    this.#saySubscriber(out);
    const offer = { type: 'offer', sdp, id: this.#offerId, midToTrackId: { ...midToTrackId } };
    out.send({ case: 'offer', value: new SessionDescription(offer) });
  }

  #sayPublisher(out: TransportSink): void {
    if (!this.#publisherSaid) return;
    const { owner } = this.#options;
    const { hidden, canPublishData } = this.#permissions;
    const rights = { hidden, publish: canPublishData, receive: this.#subscriber === undefined };
    out.saySpec(sessionSpec(this.#publisherId, owner, this.#publisher.spec, rights));
  }

  #saySubscriber(out: TransportSink): void {
    if (this.#subscriber === undefined || !this.#subscriberSaid) return;
    const { spec } = this.#subscriber;
    this.#subscribed = new Set(spec.outgoing.map(({ track }) => track));
    const rights = { hidden: this.#permissions.hidden, publish: false, receive: true };
    out.saySpec(sessionSpec(this.#subscriberId, this.#options.owner, spec, rights));
  }
}
