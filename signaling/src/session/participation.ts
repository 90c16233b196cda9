import { isDeepStrictEqual } from 'node:util';
import {
  AddTrackRequest,
  RequestResponse_Reason,
  type SessionDescription,
  SubscriptionError,
  type SubscriptionPermission,
  type SyncState,
  type UpdateParticipantMetadata,
  type UpdateSubscription,
  type UpdateTrackSettings,
} from '@livekit/protocol';
import type {
  ConnectionQuality,
  Intent,
  LeaveReason,
  ParticipantId,
  ParticipantView,
  RoomChange,
  SessionId,
  SessionStatus,
  TrackId,
} from '@sluice/contracts';
import type { ConnectRequest } from '../messages/connect-request.ts';
import { joinMessage, reconnectMessage, type ServerPlace } from '../messages/greetings.ts';
import type { AfterLeave } from '../messages/leave.ts';
import type { ClientMessage } from '../messages/wire.ts';
import type { RefusalReason } from '../negotiation/refusal.ts';
import { worstConnection } from './connection-news.ts';
import { Dynacast } from './dynacast.ts';
import type { Changed, Publishing } from './publishing.ts';
import * as requests from './requests.ts';
import { type Room, RoomNews } from './room-news.ts';
import type { Self } from './self.ts';
import { Subscribing } from './subscribing.ts';
import { readTrackSettings } from './track-settings.ts';
import type { TransportResult, Transports, TransportTurn } from './transports.ts';

export interface ParticipationOptions {
  readonly self: Self;
  readonly room: Room;
  readonly place: ServerPlace;
  readonly publishing: Publishing;
  readonly transports: Transports;
  readonly autoSubscribe: boolean;
  readonly adaptiveStream: boolean;
  /** Video may be held back when the client's network does not carry it. */
  readonly mayPause: boolean;
  readonly maxWishes: number;
}

/** A participation that cannot go on: why, and what the client should do. */
export interface Ending {
  readonly reason: LeaveReason;
  readonly after: AfterLeave;
  readonly detail: string;
}

/**
 * A participant who has entered its room: what it publishes, what it receives, what it has been told. Joins the parts;
 * each of them decides for itself.
 */
export class Participation {
  readonly #self: Self;
  readonly #room: Room;
  readonly #place: ServerPlace;
  readonly #publishing: Publishing;
  readonly #transports: Transports;
  readonly #news: RoomNews;
  readonly #subscribing: Subscribing;
  readonly #maxWishes: number;
  /** Tracks whose codec the client was told it has not. */
  readonly #toldUnsupported = new Set<TrackId>();
  readonly #speaking = new Map<SessionId, Intent['speaking']>();
  readonly #connections = new Map<SessionId, ConnectionQuality>();
  readonly #dynacast = new Dynacast();
  #wants: Intent['wants'] = [];
  /** The tracks that `wants` was made for; undefined: what the client shows has changed since. */
  #wantsFor: ReadonlySet<TrackId> | undefined;
  #lastDataSequence = 0;
  #intentChanged = false;

  constructor(options: ParticipationOptions) {
    const { self, room, place, publishing, transports, autoSubscribe, adaptiveStream, mayPause, maxWishes } = options;
    this.#self = self;
    this.#room = room;
    this.#place = place;
    this.#publishing = publishing;
    this.#transports = transports;
    this.#maxWishes = maxWishes;
    const permitted = self.permissions.canSubscribe;
    this.#subscribing = new Subscribing(self, { autoSubscribe, permitted, maxWishes, adaptiveStream, mayPause });
    this.#news = new RoomNews({ me: self, room, subscribing: this.#subscribing, transports, mayPause });
  }

  /** Highest number of the client's reliable messages that is known to have come. May lag behind. */
  get lastDataSequence(): number {
    return this.#lastDataSequence;
  }

  /** What the client is told of the room and the others in it. */
  get news(): RoomNews {
    return this.#news;
  }

  get transports(): Transports {
    return this.#transports;
  }

  intent(left?: LeaveReason): Intent {
    return this.#self.intent(this.#publishing.tracks, this.#wants, left);
  }

  /** True once after the intent changed. */
  takeIntentChanged(): boolean {
    this.#updateWants();
    const changed = this.#intentChanged;
    this.#intentChanged = false;
    return changed;
  }

  /** Tells the client where it is, and answers what its connect request brought along. */
  enter(me: ParticipantView, request: ConnectRequest, turn: TransportTurn): Ending | undefined {
    const info = this.#room.info;
    if (info === undefined) return { reason: 'room-closed', after: 'reconnect', detail: 'the room ended' };
    for (const view of this.#news.present()) this.#subscribe(view, turn);
    const subscriberPrimary = request.mode === 'dual' && me.permissions.canSubscribe;
    const others = this.#news.others();
    turn.out.send(
      joinMessage({ place: this.#place, room: info, me, others, client: request.client, subscriberPrimary }),
    );
    this.#news.tellPermissions(turn);
    this.#want(turn);
    for (const track of request.addTracks) this.addTrack(track, turn);
    return request.offer === undefined ? undefined : this.takeOffer(request.offer, turn);
  }

  /** Tells a client that was away everything that it may have missed. */
  comeBack(syncState: SyncState | undefined, turn: TransportTurn): Ending | undefined {
    turn.out.send(reconnectMessage(this.#place, this.#lastDataSequence));
    this.#news.tellAll(turn);
    this.tellUse(turn);
    const ending = syncState === undefined ? undefined : this.takeSyncState(syncState, turn);
    this.#transports.resume(turn);
    return ending;
  }

  /** `away`: the client hears of it when it comes back. */
  roomChanged({ changed, vanished }: RoomChange, client: 'here' | 'away', turn: TransportTurn): void {
    const views = [...vanished.map((view) => ({ ...view, left: view.left ?? ('signal-close' as const) })), ...changed];
    for (const view of views) this.#subscribe(view, turn);
    this.#news.changed(views, client, turn);
    this.#want(turn);
    if (client === 'away') return;
    this.#news.tellSpeakers(views, turn);
    this.tellUse(turn);
  }

  /** Tells a publisher who has a use for its tracks, as far as that is due. */
  tellUse({ nowUs, out }: TransportTurn): void {
    for (const track of this.#dynacast.takeSubscribed()) out.send(requests.trackSubscribed(track));
    for (const order of this.#dynacast.takeOrders(nowUs)) out.send(requests.layersWanted(order));
  }

  get nextUseUs(): number | undefined {
    return this.#dynacast.nextUs();
  }

  /** What the node that holds a peer connection says of it. */
  heardFrom(status: SessionStatus, client: 'here' | 'away', turn: TransportTurn): void {
    const { session, lastDataSequence, audio, state, quality } = status;
    this.#lastDataSequence = Math.max(this.#lastDataSequence, lastDataSequence);
    if (state === 'closed' || quality === undefined) this.#connections.delete(session);
    else this.#connections.set(session, quality);
    if (this.#self.setConnection(worstConnection(this.#connections.values()))) this.#intentChanged = true;
    this.#news.streamsSeen(status, client, turn);
    this.#speaking.set(session, loudest(audio));
    if (this.#self.setSpeaking(loudest(this.#speaking.values()))) this.#intentChanged = true;
  }

  connected(): void {
    if (this.#self.becomeActive()) this.#intentChanged = true;
  }

  addTrack(request: AddTrackRequest, { nowUs, out }: TransportTurn): void {
    const announced = this.#publishing.announce(request, this.#self.permissions, nowUs);
    out.send(
      announced.ok ? requests.trackPublished(announced.track) : requests.addTrackRefused(request, announced.refusal),
    );
  }

  takeOffer(offer: SessionDescription, turn: TransportTurn): Ending | undefined {
    return this.#settle(this.#transports.takeOffer(offer, this.#publishing.pending, turn), turn);
  }

  takeAnswer(answer: SessionDescription, turn: TransportTurn): Ending | undefined {
    return this.#settle(this.#transports.takeAnswer(answer, turn), turn);
  }

  /** `message` is the one that asks for the change: its echo goes with a refusal. */
  changeTrack(
    track: string,
    message: ClientMessage,
    change: (publishing: Publishing) => Changed,
    turn: TransportTurn,
  ): void {
    const changed = change(this.#publishing);
    if (changed === 'changed') this.#intentChanged = true;
    if (changed !== 'unknown') return;
    const refusal = {
      reason: RequestResponse_Reason.NOT_FOUND,
      message: `this participant publishes no track ${track.slice(0, 64)}`,
    };
    turn.out.send(requests.requestRefused(message, refusal));
  }

  updateMetadata(update: UpdateParticipantMetadata, { out }: TransportTurn): void {
    const refusal = this.#self.update(update);
    if (refusal === undefined) this.#intentChanged = true;
    out.send(
      requests.metadataUpdated(update.requestId, refusal?.reason ?? RequestResponse_Reason.OK, refusal?.message ?? ''),
    );
  }

  permitSubscriptions(permission: SubscriptionPermission, { out }: TransportTurn): void {
    const refusal = this.#self.permitSubscriptions(permission);
    if (refusal === undefined) this.#intentChanged = true;
    else out.send(requests.requestRefused({ case: 'subscriptionPermission', value: permission }, refusal));
  }

  updateSubscription(update: UpdateSubscription, turn: TransportTurn): void {
    this.#wish(update, turn);
    this.#want(turn);
  }

  updateTrackSettings(message: UpdateTrackSettings, turn: TransportTurn): void {
    const settings = readTrackSettings(message);
    for (const track of message.trackSids.slice(0, this.#maxWishes)) this.#subscribing.set(track as TrackId, settings);
    this.#want(turn);
  }

  /** What a client that came back believes. It must not believe in tracks that nobody here knows. */
  takeSyncState(state: SyncState, turn: TransportTurn): Ending | undefined {
    const unknown = state.publishTracks.find(({ track }) => track !== undefined && !this.#publishing.knows(track.sid));
    if (unknown !== undefined) {
      return { reason: 'state-mismatch', after: 'reconnect', detail: 'it publishes a track that is not known here' };
    }
    this.#subscribing.restart();
    if (state.subscription !== undefined) this.#wish(state.subscription, turn);
    for (const track of state.trackSidsDisabled.slice(0, this.#maxWishes)) this.#subscribing.disable(track as TrackId);
    this.#want(turn);
    return undefined;
  }

  tellUnmetWishes({ nowUs, out }: TransportTurn): void {
    for (const { track, error } of this.#subscribing.unmetWishes(nowUs))
      out.send(requests.subscriptionFailed(track, error));
  }

  get nextWishUs(): number | undefined {
    return this.#subscribing.nextWishUs();
  }

  /** Everyone that the client knows of, itself included. */
  everyone(): ParticipantId[] {
    return this.#news.present().map(({ participant }) => participant);
  }

  #settle(result: TransportResult, turn: TransportTurn): Ending | undefined {
    if (!result.ok) return endingOf(result.reason, result.detail);
    const { outcome } = result;
    if (outcome.published.length > 0 || outcome.unpublished.length > 0) this.#intentChanged = true;
    for (const { cid } of this.#publishing.settle(outcome)) {
      turn.out.send(requests.addTrackRefused(new AddTrackRequest({ cid }), noCodec));
    }
    this.#tellUnsupported(outcome.unsupported, turn);
    return undefined;
  }

  /** What the room says of someone, as far as it concerns this participant's transports. */
  #subscribe(view: ParticipantView, turn: TransportTurn): void {
    if (view.participant === this.#self.participant) {
      this.#permissionsChanged(view, turn);
      this.#dynacast.see(view.tracks, view.wanted, turn.nowUs);
    } else if (view.identity !== this.#self.identity) this.#subscribing.participantChanged(view);
  }

  #permissionsChanged({ permissions }: ParticipantView, turn: TransportTurn): void {
    if (JSON.stringify(permissions) === JSON.stringify(this.#self.permissions)) return;
    this.#self.setPermissions(permissions);
    this.#intentChanged = true;
    this.#subscribing.permit(permissions.canSubscribe);
    for (const track of this.#publishing.forbidden(permissions)) {
      this.#publishing.remove(track);
      this.#transports.revoke(track, turn.out);
      turn.out.send(requests.trackUnpublished(track));
    }
    this.#transports.setPermissions(permissions, turn.out);
  }

  #wish(update: UpdateSubscription, { nowUs, out }: TransportTurn): void {
    const { trackSids, participantTracks, subscribe } = update;
    const tracks = new Set([...trackSids, ...participantTracks.flatMap(({ trackSids }) => trackSids)]);
    if (tracks.size > this.#maxWishes) {
      const message = `a subscription may name ${this.#maxWishes} tracks`;
      const refusal = { reason: RequestResponse_Reason.LIMIT_EXCEEDED, message };
      out.send(requests.requestRefused({ case: 'subscription', value: update }, refusal));
      return;
    }
    for (const track of tracks) {
      const kept = this.#subscribing.wish(track as TrackId, subscribe, nowUs);
      if (!kept && subscribe) out.send(requests.subscriptionFailed(track as TrackId, SubscriptionError.SE_UNKNOWN));
    }
  }

  #want(turn: TransportTurn): void {
    if (!this.#subscribing.takeChanged()) return;
    this.#wantsFor = undefined;
    this.#tellUnsupported(this.#transports.want(this.#subscribing.wanted(), turn), turn);
  }

  #tellUnsupported(tracks: readonly TrackId[], { out }: TransportTurn): void {
    for (const track of this.#toldUnsupported) if (!this.#subscribing.knows(track)) this.#toldUnsupported.delete(track);
    for (const track of tracks) {
      if (this.#toldUnsupported.has(track)) continue;
      this.#toldUnsupported.add(track);
      out.send(requests.subscriptionFailed(track, SubscriptionError.SE_CODEC_UNSUPPORTED));
    }
  }

  #updateWants(): void {
    const { subscribed } = this.#transports;
    if (this.#wantsFor === subscribed) return;
    this.#wantsFor = subscribed;
    const wants = this.#subscribing.wants(subscribed);
    if (isDeepStrictEqual(wants, this.#wants)) return;
    this.#wants = wants;
    this.#intentChanged = true;
  }
}

function loudest(all: Iterable<Intent['speaking']>): Intent['speaking'] {
  const levels = [...all].filter(({ active }) => active).map(({ level }) => level);
  return { active: levels.length > 0, level: Math.max(0, ...levels) };
}

const noCodec = {
  reason: RequestResponse_Reason.UNSUPPORTED_TYPE,
  message: 'no codec in the offer is one that we carry',
};

/** A client whose sections went wrong may begin anew; one whose SDP cannot be read would only send it again. */
function endingOf(reason: RefusalReason, detail: string): Ending | undefined {
  switch (reason) {
    case 'no-offer':
      // An answer that crossed something newer: of no consequence.
      return undefined;
    case 'sections-changed':
      return { reason: 'state-mismatch', after: 'reconnect', detail: `${reason}: ${detail}` };
    default:
      return { reason: 'state-mismatch', after: 'disconnect', detail: `${reason}: ${detail}` };
  }
}
