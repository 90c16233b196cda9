import {
  DisconnectReason,
  type JoinResponse,
  LeaveRequest,
  LeaveRequest_Action,
  type ParticipantInfo,
  ReconnectReason,
  type ReconnectResponse,
  type RequestResponse,
  RequestResponse_Reason,
  SyncState,
  UpdateSubscription,
  UpdateTrackSettings,
} from '@livekit/protocol';
import type { TrackId } from '@sluice/contracts';
import type { PeerEndReason, PeerEvent } from '@sluice/packet-path';
import { type ClientReport, clientReport } from './client-report.ts';
import { connectTarget, type Mode } from './connect-url.ts';
import { Connections } from './connections.ts';
import { DataMessages, type ReceivedData, type Reliability } from './data-messages.ts';
import {
  addTrackMessage,
  type ClientMessage,
  muteMessage,
  publishedTracks,
  type WatchedQuality,
  wantedRids,
  watchMessage,
} from './messages.ts';
import type { Taken } from './peer-connection.ts';
import type { RoomClientPorts, SignalClosure } from './ports.ts';
import { Publication, type Publishing } from './publication.ts';
import { Reconnecting } from './reconnecting.ts';
import { Roster } from './roster.ts';
import { type ServerMessage, SignalSession } from './signal-session.ts';

export interface RoomClientOptions {
  readonly token: string;
  readonly mode: Mode;
  /** Receives every track in the room, unless told otherwise. */
  readonly autoSubscribe: boolean;
  /** In which quality it wants to see each video that comes; left out, it says nothing of that. */
  readonly watch?: WatchedQuality;
}

/**
 * `resuming`: its link is gone and it tries to come back as who it was, with media going on; `rejoining`: everything
 * begins anew under the same identity.
 */
export type ClientState = 'new' | 'joining' | 'live' | 'resuming' | 'rejoining' | 'ended';

export interface RoomClientListener {
  stateChanged?(state: ClientState): void;
  data?(message: ReceivedData): void;
  /** Something that a correct server does not do. */
  problem?(what: string): void;
}

/** What browsers take to notice that nobody answers their checks any more. */
const GOODBYE_US = 5_000_000;

interface Wish {
  readonly publishing: Publishing;
  muted: boolean;
}

/**
 * A client of a room that speaks LiveKit's protocol as its JavaScript SDK does: joins, publishes, subscribes, sends
 * data, resumes, joins anew. Sans IO: sockets, peers, time and randomness are ports.
 */
export class RoomClient {
  readonly roster = new Roster();
  readonly data = new DataMessages();
  readonly #options: RoomClientOptions;
  readonly #ports: RoomClientPorts;
  readonly #listener: RoomClientListener;
  readonly #wishes = new Map<string, Wish>();
  readonly #publications = new Map<string, Publication>();
  /** Exceptions from `autoSubscribe`. */
  readonly #exceptions = new Set<string>();
  readonly #disabled = new Set<string>();
  /** Of which the server knows in which quality they are wanted. */
  readonly #watched = new Set<string>();
  readonly #reconnecting: Reconnecting;
  #state: ClientState = 'new';
  #token: string;
  #signal: SignalSession | undefined;
  #connections: Connections | undefined;
  #dataPeer: unknown;
  #me = { sid: '', identity: '' };
  #ended: string | undefined;
  #lastTrouble: string | undefined;
  #times: { dialedUs: number; joinedUs?: number; connectedUs?: number } = { dialedUs: 0 };

  constructor(options: RoomClientOptions, ports: RoomClientPorts, listener: RoomClientListener = {}) {
    this.#options = options;
    this.#ports = ports;
    this.#listener = listener;
    this.#token = options.token;
    this.#reconnecting = new Reconnecting(ports);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Its participant's sid and identity, as the server says. */
  get me(): { readonly sid: string; readonly identity: string } {
    return this.#me;
  }

  /** Why it is over. */
  get endedBecause(): string | undefined {
    return this.#ended;
  }

  /** Why it had to begin anew or come back, the last time. */
  get lastTrouble(): string | undefined {
    return this.#lastTrouble;
  }

  /** Of the last join: dialed, joined, all of its peer connections up. */
  get times(): { readonly dialedUs: number; readonly joinedUs?: number; readonly connectedUs?: number } {
    return this.#times;
  }

  /** Peer connections that it has. */
  get peers(): number {
    return this.#connections?.peers.length ?? 0;
  }

  get rejoins(): number {
    return this.#reconnecting.rejoins;
  }

  get resumes(): number {
    return this.#reconnecting.resumes;
  }

  connect(): void {
    if (this.#state !== 'new') return;
    this.#become('joining');
    this.#join();
  }

  /** Publishes a track under a name of the caller's; before the client is in, as soon as it is. */
  publish(name: string, publishing: Publishing): void {
    if (this.#wishes.has(name)) return;
    this.#wishes.set(name, { publishing, muted: false });
    if (this.#state === 'live') this.#publishNow(name);
  }

  unpublish(name: string): void {
    this.#wishes.delete(name);
    const publication = this.#publications.get(name);
    this.#publications.delete(name);
    if (publication !== undefined) this.#connections?.unpublish(publication);
  }

  setMuted(name: string, muted: boolean): void {
    const wish = this.#wishes.get(name);
    if (wish !== undefined) wish.muted = muted;
    const publication = this.#publications.get(name);
    if (publication === undefined || publication.muted === muted) return;
    publication.muted = muted;
    if (publication.track !== undefined) this.#send(muteMessage(publication.track, muted));
    this.#connections?.refresh();
  }

  publication(name: string): Publication | undefined {
    return this.#publications.get(name);
  }

  /** Wants tracks, or does not want them any more. */
  subscribe(tracks: readonly string[], wanted: boolean): void {
    for (const track of tracks) {
      if (wanted === this.#options.autoSubscribe) this.#exceptions.delete(track);
      else this.#exceptions.add(track);
    }
    this.#send({ case: 'subscription', value: new UpdateSubscription({ trackSids: [...tracks], subscribe: wanted }) });
  }

  /** Keeps subscriptions, and lets nothing come. */
  setDisabled(tracks: readonly string[], disabled: boolean): void {
    for (const track of tracks) {
      if (disabled) this.#disabled.add(track);
      else this.#disabled.delete(track);
    }
    this.#send({ case: 'trackSetting', value: new UpdateTrackSettings({ trackSids: [...tracks], disabled }) });
    this.#connections?.refresh();
  }

  sendData(payload: Uint8Array, how: Reliability, destinations: readonly string[] = [], topic = ''): void {
    this.data.send(payload, how, destinations, topic);
  }

  /** Its WebSocket breaks: it resumes, with an ICE restart. */
  breakLink(): void {
    if (this.#state !== 'live') return;
    this.#signal?.close();
    this.#resumeSoon(ReconnectReason.RR_SIGNAL_DISCONNECTED);
  }

  leave(): void {
    if (this.#signal !== undefined && this.#state === 'live') this.#sendLeave();
    this.#end('left', 'goodbye');
  }

  /** Its process dies: its sockets close, and nobody says goodbye. */
  crash(): void {
    this.#end('crashed', 'without-a-word');
  }

  /** The network to it is gone, or its machine: nothing is sent any more, not even that a socket closed. */
  vanish(): void {
    this.#signal?.abandon();
    this.#end('vanished', 'without-a-word');
  }

  report(): ClientReport {
    return clientReport({
      publications: this.#publications,
      roster: this.roster,
      received: this.#connections?.received() ?? [],
      reports: this.#connections?.peers.flatMap((peer) => peer.report() ?? []) ?? [],
    });
  }

  // ── Coming in, and back ──

  #join(): void {
    const { mode, autoSubscribe } = this.#options;
    this.#times = { dialedUs: this.#ports.clock.nowUs() };
    const connections = new Connections({
      mode,
      ports: this.#ports,
      send: (message) => this.#send(message),
      onEvent: (event, way) => this.#peerEvent(connections, event, way),
      overdue: () => this.#rejoinSoon('an offer was not answered'),
      isIdle: (track) => this.#disabled.has(track) || this.roster.find(track)?.muted === true,
    });
    this.#connections = connections;
    const offer = connections.firstOffer();
    this.#dial({ mode, autoSubscribe, token: this.#token, resume: undefined, offer });
  }

  #dial(wish: Parameters<typeof connectTarget>[0]): void {
    const signal = new SignalSession({
      clock: this.#ports.clock,
      dial: (target, listener) => this.#ports.dial(target, listener),
      target: connectTarget(wish),
      message: (message) => {
        if (this.#signal === signal) this.#message(message);
      },
      closed: (why) => {
        if (this.#signal === signal) this.#linkClosed(why);
      },
    });
    this.#signal = signal;
  }

  #linkClosed({ status, text }: SignalClosure): void {
    this.#lastTrouble = `no connection: ${status} ${text}`;
    if (status === 401 || status === 403) this.#end(`refused: ${status} ${text}`, 'goodbye');
    else if (this.#state === 'live' || this.#state === 'resuming') {
      this.#resumeSoon(ReconnectReason.RR_SIGNAL_DISCONNECTED);
    } else this.#rejoinSoon(this.#lastTrouble);
  }

  #resumeSoon(reason: ReconnectReason): void {
    this.#become('resuming');
    this.#connections?.pause();
    const { mode, autoSubscribe } = this.#options;
    const resume = { participant: this.#me.sid, reason };
    const planned = this.#reconnecting.plan('resume', () =>
      this.#dial({ mode, autoSubscribe, token: this.#token, resume, offer: undefined }),
    );
    if (!planned) this.#end('the server could not be reached', 'goodbye');
  }

  #rejoinSoon(why: string): void {
    this.#lastTrouble = why;
    this.#signal?.close();
    this.#connections?.close('goodbye');
    this.#connections = undefined;
    this.#publications.clear();
    this.#become(this.#me.sid === '' ? 'joining' : 'rejoining');
    if (!this.#reconnecting.plan('rejoin', () => this.#join())) this.#end(why, 'goodbye');
  }

  #end(why: string, how: 'goodbye' | 'without-a-word'): void {
    if (this.#state === 'ended') return;
    this.#ended = why;
    this.#reconnecting.stop();
    this.#signal?.close();
    this.#connections?.close(how);
    this.#become('ended');
  }

  #become(state: ClientState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#listener.stateChanged?.(state);
  }

  // ── What the server says ──

  #message(message: ServerMessage): void {
    switch (message.case) {
      case 'join':
        this.#joined(message.value);
        return;
      case 'reconnect':
        this.#resumed(message.value);
        return;
      case 'answer':
        this.#check('answer', this.#connections?.takeAnswer(message.value));
        this.#attachData();
        return;
      case 'offer':
        this.#check('offer', this.#connections?.takeOffer(message.value));
        return;
      case 'mediaSectionsRequirement':
        this.#connections?.addSections(message.value.numAudios, message.value.numVideos);
        return;
      case 'update':
        this.#updated(message.value.participants);
        return;
      case 'trackPublished':
        this.#trackPublished(message.value.cid, message.value.track?.sid);
        return;
      case 'trackUnpublished':
        this.#trackUnpublished(message.value.trackSid);
        return;
      case 'subscribedQualityUpdate': {
        const update = message.value;
        const publication = [...this.#publications.values()].find(({ track }) => track === update.trackSid);
        if (publication !== undefined) publication.wantedRids = wantedRids(update, publication.layers);
        this.#connections?.refresh();
        return;
      }
      case 'leave':
        this.#left(message.value);
        return;
      case 'refreshToken':
        this.#token = message.value;
        return;
      case 'requestResponse':
        this.#answered(message.value);
        return;
      default:
        // What a user would be shown, and this one does not show: speakers, quality, room metadata.
        return;
    }
  }

  #joined(join: JoinResponse): void {
    const { participant } = join;
    if (participant === undefined) {
      this.#problem('a join without a participant');
      return;
    }
    this.#me = { sid: participant.sid, identity: participant.identity };
    this.#times = { ...this.#times, joinedUs: this.#ports.clock.nowUs() };
    this.#reconnecting.succeeded();
    this.data.restart();
    this.#dataPeer = undefined;
    this.roster.clear();
    this.roster.update(join.otherParticipants, this.#me);
    this.#signal?.startPings(join.pingInterval, join.pingTimeout);
    if (join.fastPublish) this.#connections?.fastPublish();
    this.#become('live');
    for (const name of this.#wishes.keys()) this.#publishNow(name);
    if (this.#exceptions.size > 0) this.#exceptions.clear();
    this.#watched.clear();
    this.#watch();
  }

  #resumed({ lastMessageSeq }: ReconnectResponse): void {
    this.#reconnecting.succeeded();
    this.#become('live');
    this.#signal?.startPings(5, 15);
    this.data.resumeFrom(lastMessageSeq);
    const { autoSubscribe } = this.#options;
    this.#send({
      case: 'syncState',
      value: new SyncState({
        subscription: new UpdateSubscription({ trackSids: [...this.#exceptions], subscribe: !autoSubscribe }),
        publishTracks: publishedTracks(this.#publications.values()),
        trackSidsDisabled: [...this.#disabled],
        datachannelReceiveStates: this.data.receiveStates(),
      }),
    });
    this.#publishWhatIsNot();
    this.#connections?.resume();
    this.#watched.clear();
    this.#watch();
  }

  /** Says in which quality it wants what it did not know before. */
  #watch(): void {
    const { watch } = this.#options;
    if (watch === undefined) return;
    const tracks = this.roster.tracks().filter(({ kind, track }) => kind === 'video' && !this.#watched.has(track));
    for (const { track } of tracks) this.#watched.add(track);
    if (tracks.length > 0)
      this.#send(
        watchMessage(
          tracks.map(({ track }) => track),
          watch,
        ),
      );
  }

  /** Wishes of the time without a link, and tracks whose announcement or its answer was lost with it. */
  #publishWhatIsNot(): void {
    for (const name of this.#wishes.keys()) {
      const publication = this.#publications.get(name);
      if (publication?.track !== undefined) continue;
      if (publication !== undefined) this.#connections?.unpublish(publication);
      this.#publishNow(name);
    }
  }

  #left({ action, reason }: LeaveRequest): void {
    const why = DisconnectReason[reason] ?? String(reason);
    if (action === LeaveRequest_Action.RESUME) {
      this.#signal?.close();
      this.#resumeSoon(ReconnectReason.RR_SIGNAL_DISCONNECTED);
    } else if (action === LeaveRequest_Action.RECONNECT) this.#rejoinSoon(why);
    else this.#end(why, 'goodbye');
  }

  #updated(participants: readonly ParticipantInfo[]): void {
    this.roster.update(participants, this.#me);
    const mine = participants.find(({ sid }) => sid === this.#me.sid);
    for (const { track, muted } of this.#publications.values()) {
      // What was said of it was lost with a link.
      const shown = mine?.tracks.find(({ sid }) => sid === track);
      if (track !== undefined && shown !== undefined && shown.muted !== muted) this.#send(muteMessage(track, muted));
    }
    this.#watch();
    this.#connections?.refresh();
  }

  #trackPublished(cid: string, sid: string | undefined): void {
    const publication = [...this.#publications.values()].find((each) => each.cid === cid);
    if (publication === undefined || sid === undefined) return;
    publication.track = sid as TrackId;
    // It may have been muted while its id was not known.
    if (publication.muted) this.#send(muteMessage(sid, true));
  }

  #trackUnpublished(sid: string): void {
    for (const [name, { track }] of this.#publications) if (track === sid) this.unpublish(name);
  }

  #answered({ reason, message, request }: RequestResponse): void {
    if (reason === RequestResponse_Reason.OK || reason === RequestResponse_Reason.QUEUED) return;
    this.#problem(`refused: ${request.case ?? 'a request'}: ${RequestResponse_Reason[reason]} ${message}`);
  }

  #check(what: string, taken: Taken | undefined): void {
    if (taken !== undefined && !taken.ok) this.#problem(`the server's ${what} cannot be used: ${taken.what}`);
  }

  // ── What its peers tell ──

  #peerEvent(connections: Connections, event: PeerEvent, way: 'upstream' | 'downstream'): void {
    if (connections !== this.#connections) return;
    switch (event.type) {
      case 'connected':
        if (connections.connected) this.#times = { ...this.#times, connectedUs: this.#ports.clock.nowUs() };
        return;
      case 'channel-opened':
        if (way === 'upstream') this.data.opened(event);
        return;
      case 'writable':
        this.data.flush();
        return;
      case 'message': {
        const message = this.data.received(event.bytes);
        if (message !== undefined) this.#listener.data?.(message);
        return;
      }
      case 'ended':
        this.#peerEnded(connections, event.reason);
        return;
      default:
        return;
    }
  }

  #peerEnded(connections: Connections, reason: PeerEndReason): void {
    const rejoin = (): void => {
      if (connections !== this.#connections || this.#state === 'ended') return;
      if (this.#state === 'live') this.#sendLeave();
      this.#rejoinSoon(`media: ${reason}`);
    };
    // Browsers take no notice of a goodbye by DTLS; signaling usually says why in a moment.
    if (reason === 'dtls-closed') this.#ports.clock.setTimer(GOODBYE_US, rejoin);
    else rejoin();
  }

  /** Data goes by the connection that this client offers; the first answer opened it. */
  #attachData(): void {
    const peer = this.#connections?.upstream;
    if (peer === this.#dataPeer) return;
    this.#dataPeer = peer;
    this.data.attach(peer);
  }

  // ── Doing ──

  #publishNow(name: string): void {
    const wish = this.#wishes.get(name);
    if (wish === undefined) return;
    const publication = new Publication(wish.publishing, this.#ports.random);
    publication.muted = wish.muted;
    this.#publications.set(name, publication);
    this.#send(addTrackMessage(publication));
    this.#connections?.publish(publication);
  }

  #sendLeave(): void {
    const value = new LeaveRequest({
      reason: DisconnectReason.CLIENT_INITIATED,
      action: LeaveRequest_Action.DISCONNECT,
    });
    this.#send({ case: 'leave', value });
  }

  #send(message: ClientMessage): void {
    this.#signal?.send(message);
  }

  #problem(what: string): void {
    this.#listener.problem?.(what);
  }
}
