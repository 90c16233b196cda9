import { MediaSectionsRequirement, SessionDescription } from '@livekit/protocol';
import type { Permissions, SessionId, TrackId } from '@sluice/contracts';
import {
  type MediaKind,
  type PendingTrack,
  type Placement,
  PublisherNegotiation,
  type WantedTrack,
} from '../negotiation/index.ts';
import {
  sessionSpec,
  type TransportOptions,
  type TransportResult,
  type TransportSink,
  type Transports,
  type TransportTurn,
} from './transports.ts';

/** One peer connection for both ways. Only the client offers; we ask it to when our side has changed. */
export class SingleTransport implements Transports {
  readonly primary: SessionId;
  readonly #options: TransportOptions;
  readonly #negotiation: PublisherNegotiation;
  #permissions: Permissions;
  /** The client has offered once: there is something to build on. */
  #negotiated = false;
  #away = false;
  /** The client was asked for an offer and has sent none since. */
  #asked = false;
  /** Sections the client was asked to add and that no offer has shown yet. */
  #coming: Record<MediaKind, number> = { audio: 0, video: 0 };
  #sections: Readonly<Record<MediaKind, number>> = { audio: 0, video: 0 };
  #subscribed: ReadonlySet<TrackId> = new Set();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#permissions = options.permissions;
    this.primary = options.makeSessionId();
    this.#negotiation = new PublisherNegotiation(options.negotiation);
  }

  get sessions(): SessionId[] {
    return [this.primary];
  }

  get subscribed(): ReadonlySet<TrackId> {
    return this.#subscribed;
  }

  /** Clients offer when asked, or come back; a client that does neither has no other tracks, and that is all. */
  get overdueUs(): undefined {
    return undefined;
  }

  start(): void {}

  takeOffer(offer: SessionDescription, pending: readonly PendingTrack[], turn: TransportTurn): TransportResult {
    const answer = this.#negotiation.answer(offer.sdp, pending, turn.site);
    if (!answer.ok) return answer;
    this.#negotiated = true;
    this.#offered(offer.sdp);
    this.#say(turn.out);
    const { sdp, midToTrackId } = answer;
    const value = { type: 'answer', sdp, id: offer.id, midToTrackId: { ...midToTrackId } };
    turn.out.send({ case: 'answer', value: new SessionDescription(value) });
    this.#ask(answer, turn);
    return { ok: true, outcome: answer };
  }

  takeAnswer(): TransportResult {
    return { ok: false, reason: 'no-offer', detail: 'in single mode only the client offers' };
  }

  want(wanted: readonly WantedTrack[], turn: TransportTurn): readonly TrackId[] {
    const placement = this.#negotiation.want(wanted);
    if (!this.#negotiated) return [];
    this.#say(turn.out);
    this.#ask(placement, turn);
    return placement.unsupported;
  }

  pause(): void {
    this.#away = true;
  }

  /** The client restarts ICE with an offer, and the answer says all that changed. What we asked before may be lost. */
  resume(): void {
    this.#away = false;
    this.#asked = false;
    this.#coming = { audio: 0, video: 0 };
  }

  revoke(track: TrackId, out: TransportSink): void {
    this.#negotiation.revoke(track);
    this.#say(out);
  }

  setPermissions(permissions: Permissions, out: TransportSink): void {
    this.#permissions = permissions;
    this.#say(out);
  }

  drop(out: TransportSink): void {
    if (this.#negotiated) out.dropSpec(this.primary);
  }

  #say(out: TransportSink): void {
    if (!this.#negotiated) return;
    const { spec } = this.#negotiation;
    this.#subscribed = new Set(spec.outgoing.map(({ track }) => track));
    const rights = { hidden: this.#permissions.hidden, publish: this.#permissions.canPublishData, receive: true };
    out.saySpec(sessionSpec(this.primary, this.#options.owner, spec, rights));
  }

  /**
   * Asks for an offer, with more sections where some are missing. One request is enough until an offer comes, and
   * sections that are on their way are not asked for twice: the client adds whatever it is told.
   */
  #ask({ renegotiate, missing }: Placement, { out }: TransportTurn): void {
    if (!renegotiate || this.#away) return;
    const numAudios = Math.max(0, missing.audio - this.#coming.audio);
    const numVideos = Math.max(0, missing.video - this.#coming.video);
    if (this.#asked && numAudios === 0 && numVideos === 0) return;
    this.#asked = true;
    this.#coming = { audio: this.#coming.audio + numAudios, video: this.#coming.video + numVideos };
    out.send({ case: 'mediaSectionsRequirement', value: new MediaSectionsRequirement({ numAudios, numVideos }) });
  }

  #offered(sdp: string): void {
    const sections = { audio: countSections(sdp, 'audio'), video: countSections(sdp, 'video') };
    this.#coming = {
      audio: Math.max(0, this.#coming.audio - (sections.audio - this.#sections.audio)),
      video: Math.max(0, this.#coming.video - (sections.video - this.#sections.video)),
    };
    this.#sections = sections;
    this.#asked = false;
  }
}

const countSections = (sdp: string, kind: MediaKind): number => sdp.split(`\nm=${kind} `).length - 1;
