import { RequestResponse_Reason } from '@livekit/protocol';
import type {
  LeaveReason,
  ParticipantId,
  RoomChange,
  RoomId,
  SessionId,
  SessionStatus,
  TrackId,
} from '@sluice/contracts';
import type { ConnectRequest } from '../messages/connect-request.ts';
import { type AfterLeave, leaveMessage } from '../messages/leave.ts';
import { PING_TIMEOUT_S } from '../messages/server-identity.ts';
import type { ClientMessage } from '../messages/wire.ts';
import type { SiteTransport } from '../negotiation/index.ts';
import type { Grants } from '../tokens/claims.ts';
import { takeMessage } from './client-messages.ts';
import { type DeadlineReason, Deadlines } from './deadlines.ts';
import { DualTransports } from './dual-transports.ts';
import { MessageBudget } from './message-budget.ts';
import { type Ending, Participation } from './participation.ts';
import { Publishing } from './publishing.ts';
import { requestRefused } from './requests.ts';
import type { Room } from './room-news.ts';
import { Self } from './self.ts';
import type { Now, SessionInput, SessionOptions, SessionSink } from './session-terms.ts';
import { BREAK_RESUME_FOR_US, type BreakResume, type Simulated, simulatedSpeakers } from './simulation.ts';
import { SingleTransport } from './single-transport.ts';
import type { Transports, TransportTurn } from './transports.ts';

/** Room metadata and counts are told at most this often. */
const ROOM_UPDATE_US = 1_000_000;
/** So long nothing is read from a client that sends more than it may. */
const SLOW_DOWN_US = 50_000;

/**
 * One client's session with a room, from its connect request to its goodbye: joining, live, over; with its link or
 * away. Pure: time and effects are passed in.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #self: Self;
  readonly #deadlines = new Deadlines();
  readonly #budget: MessageBudget;
  readonly #vitalBudget: MessageBudget;
  #phase: 'joining' | 'live' | 'over' = 'joining';
  #linked = true;
  #site: SiteTransport | undefined;
  #participation: Participation | undefined;
  /** Peer connections of it that their node gave up. */
  readonly #failed = new Set<SessionId>();
  #subscribed: ReadonlySet<TrackId> = new Set();
  #toldRoom: string | undefined;
  #breakResume: { readonly when: BreakResume; readonly untilUs: number } | undefined;

  constructor(options: SessionOptions, now: Now) {
    const { participant, grants, request, limits } = options;
    this.#options = options;
    this.#site = options.site;
    this.#self = new Self({ participant, grants, request, limits, joinedAtMs: now.unixMs });
    this.#budget = new MessageBudget(limits.messages, now.us);
    this.#vitalBudget = new MessageBudget(limits.vitalMessages, now.us);
  }

  get participant(): ParticipantId {
    return this.#self.participant;
  }

  /** Its peer connections; none before it is live. */
  get sessions(): readonly SessionId[] {
    return this.#participation?.transports.sessions ?? [];
  }

  nextDeadlineUs(): number | undefined {
    return this.#deadlines.next()?.atUs;
  }

  /** Says that the participant wants in. What follows comes with `handle`. */
  start(now: Now, out: SessionSink): void {
    const { excess } = this.#self;
    if (excess !== undefined) {
      this.#phase = 'over';
      out.refuse({ status: 400, text: excess });
      out.event({ type: 'ended', reason: 'join-failure', detail: excess });
      return;
    }
    this.#deadlines.set('join', now.us + this.#options.times.joinUs);
    out.sayIntent(this.#self.intent([], []));
    this.#tryToEnter(now, out);
  }

  /** Can the client of this request go on with this session? Undefined: yes. */
  whyNotResume(request: ConnectRequest, grants: Grants): string | undefined {
    const mine = this.#options;
    if (this.#phase !== 'live') return 'the session is not live';
    if (grants.identity !== mine.grants.identity || grants.room !== mine.grants.room)
      return 'the token is for another participant';
    if (request.mode !== mine.request.mode) return 'the session has another mode';
    // Its DTLS is gone at the node, and a client that only restarts ICE would wait for it in vain.
    return this.#failed.size > 0 ? 'its transport has failed' : undefined;
  }

  handle(input: SessionInput, now: Now, out: SessionSink): void {
    if (this.#phase === 'over') return;
    this.#take(input, now, out);
    this.#sayWhatChanged(now, out);
  }

  #take(input: SessionInput, now: Now, out: SessionSink): void {
    switch (input.type) {
      case 'message':
        this.#message(input.message, now, out);
        return;
      case 'malformed':
        out.event({ type: 'message-refused', why: 'malformed' });
        this.#leave({ reason: 'state-mismatch', after: 'disconnect', detail: `malformed frame: ${input.what}` }, out);
        return;
      case 'link-lost':
        this.#linkLost(now, out);
        return;
      case 'resume':
        this.#resume(input.request, now, out);
        return;
      case 'room':
        this.#roomChanged(input.change, now, out);
        return;
      case 'status':
        this.#status(input.status, now, out);
        return;
      case 'site':
        this.#site = input.site;
        this.#tryToEnter(now, out);
        return;
      case 'shutdown':
        this.#leave({ reason: 'server-shutdown', after: 'reconnect', detail: 'the server stops' }, out);
        return;
      case 'deadline':
        this.#due(now, out);
        return;
    }
  }

  #tryToEnter(now: Now, out: SessionSink): void {
    const { room, request, place, limits, random, times } = this.#options;
    const me = room.get(this.participant);
    if (this.#phase !== 'joining' || this.#site === undefined || room.info === undefined || me === undefined) return;
    this.#phase = 'live';
    this.#deadlines.clear('join');
    this.#deadlines.set('setup', now.us + times.setupUs);
    this.#heard(now);
    this.#self.see(room.info);
    const participation = new Participation({
      self: this.#self,
      room,
      place,
      publishing: new Publishing(random, limits.tracksPerParticipant),
      transports: this.#makeTransports(room.info.room),
      autoSubscribe: request.autoSubscribe,
      adaptiveStream: request.adaptiveStream,
      mayPause: request.allowPause,
      maxWishes: limits.wishesPerParticipant,
    });
    this.#participation = participation;
    this.#toldRoom = roomText(room);
    out.event({ type: 'joined' });
    const turn = { site: this.#site, nowUs: now.us, out };
    const ending = participation.enter(me, request, turn);
    this.#refreshToken(now, out);
    if (ending === undefined) participation.transports.start(turn);
    out.sayIntent(participation.intent());
    this.#endIf(ending, out);
  }

  #makeTransports(room: RoomId): Transports {
    const { siteName, participant, grants, request, makeSessionId } = this.#options;
    // Safari shows no track that comes by a section which another one had before.
    const reuseSections =
      request.client.browser.toLowerCase() === 'safari' ? ('never' as const) : ('when-free' as const);
    const negotiation = { ...this.#options.negotiation, reuseSections };
    const owner = { site: siteName, room, participant, identity: grants.identity };
    const options = { owner, permissions: this.#self.permissions, negotiation, makeSessionId };
    return request.mode === 'single' ? new SingleTransport(options) : new DualTransports(options);
  }

  #message(message: ClientMessage, now: Now, out: SessionSink): void {
    this.#heard(now);
    const budget = isVital(message) ? this.#vitalBudget : this.#budget;
    if (!budget.take(now.us)) {
      out.event({ type: 'message-refused', why: 'rate' });
      out.pauseLink(SLOW_DOWN_US);
      const refusal = { reason: RequestResponse_Reason.LIMIT_EXCEEDED, message: 'too many messages' };
      out.send(requestRefused(message, refusal));
      return;
    }
    const { participation, turn } = this.#live(now, out);
    if (participation === undefined || turn === undefined) return;
    const outcome = takeMessage(message, participation, { ...turn, unixMs: now.unixMs });
    switch (outcome.type) {
      case 'done':
        return;
      case 'end':
        this.#leave(outcome.ending, out);
        return;
      case 'left':
        this.#over('client-initiated', 'the client left', out);
        return;
      case 'simulate':
        this.#simulate(outcome.what, participation, now, out);
        return;
      case 'refused':
        out.event({ type: 'message-refused', why: outcome.why });
        return;
    }
  }

  #simulate(what: Simulated, participation: Participation, now: Now, out: SessionSink): void {
    switch (what.type) {
      case 'leave':
        this.#leave({ ...what, detail: 'simulated' }, out);
        return;
      case 'migrate':
        out.send(leaveMessage('migration', 'resume'));
        this.#breakLink(now, out);
        return;
      case 'speakers':
        this.#deadlines.set('simulated-speakers', now.us + what.forUs);
        out.send(simulatedSpeakers(participation.everyone(), 'speaking'));
        return;
      case 'break-resume':
        this.#breakResume = { when: what.when, untilUs: now.us + BREAK_RESUME_FOR_US };
        return;
      case 'nothing':
        return;
    }
  }

  #linkLost(now: Now, out: SessionSink): void {
    if (!this.#linked) return;
    this.#linked = false;
    this.#deadlines.clear('client-silent');
    this.#deadlines.clear('answer');
    if (this.#phase === 'joining') {
      this.#over('signal-close', 'the client went before it was in', out);
      return;
    }
    this.#participation?.transports.pause();
    out.event({ type: 'link-lost' });
    // Nothing is up that would be worth coming back to.
    if (!this.#self.active) {
      this.#over('signal-close', 'the client went before its media was up', out);
      return;
    }
    this.#deadlines.set('away', now.us + this.#options.times.awayUs);
  }

  #resume({ resume }: ConnectRequest, now: Now, out: SessionSink): void {
    const { participation, turn } = this.#live(now, out);
    if (participation === undefined || turn === undefined) return;
    this.#linked = true;
    this.#deadlines.clear('away');
    this.#heard(now);
    const breakAt =
      this.#breakResume !== undefined && now.us < this.#breakResume.untilUs ? this.#breakResume.when : 'never';
    this.#breakResume = undefined;
    if (breakAt === 'before-messages') {
      this.#breakLink(now, out);
      return;
    }
    this.#endIf(participation.comeBack(resume?.syncState, turn), out);
    if (this.#isOver()) return;
    if (breakAt === 'after-reconnect') {
      this.#breakLink(now, out);
      return;
    }
    out.event({ type: 'resumed' });
    this.#refreshToken(now, out);
  }

  #breakLink(now: Now, out: SessionSink): void {
    out.closeLink();
    this.#linkLost(now, out);
  }

  #roomChanged(change: RoomChange, now: Now, out: SessionSink): void {
    const mine = change.changed.find(({ participant }) => participant === this.participant);
    if (mine?.left !== undefined) {
      this.#shownOut(mine.left, out);
      return;
    }
    if (change.vanished.some(({ participant }) => participant === this.participant)) {
      // The room's controller has lost sight of it, or the room itself has ended: what there is must be built anew.
      this.#leave({ reason: 'room-closed', after: 'reconnect', detail: 'the room no longer shows it' }, out);
      return;
    }
    if (this.#phase === 'joining') {
      this.#tryToEnter(now, out);
      return;
    }
    const { participation, turn } = this.#live(now, out);
    if (participation === undefined || turn === undefined) return;
    participation.roomChanged(change, this.#client, turn);
    if (this.#toldRoom !== roomText(this.#options.room) && !this.#deadlines.has('room-update')) {
      this.#deadlines.set('room-update', now.us + ROOM_UPDATE_US);
    }
  }

  /** The controller says that this participant has left. */
  #shownOut(reason: LeaveReason, out: SessionSink): void {
    this.#leave({ reason, after: isFinal(reason) ? 'disconnect' : 'reconnect', detail: 'the room says so' }, out);
  }

  #status(status: SessionStatus, now: Now, out: SessionSink): void {
    const { session, state, closeReason } = status;
    const { participation, turn } = this.#live(now, out);
    if (participation === undefined || turn === undefined || !this.sessions.includes(session)) return;
    participation.heardFrom(status, this.#client, turn);
    if (state === 'connected' && session === participation.transports.primary) {
      this.#deadlines.clear('setup');
      if (!this.#self.active) out.event({ type: 'connected' });
      participation.connected();
    }
    // What was dropped was dropped by us.
    if (state !== 'closed' || closeReason === 'dropped') this.#failed.delete(session);
    else this.#failed.add(session);
    if (this.#failed.size === 0) this.#deadlines.clear('transport-lost');
    else if (!this.#deadlines.has('transport-lost')) {
      this.#deadlines.set('transport-lost', now.us + this.#options.times.transportLostUs);
    }
  }

  #due(now: Now, out: SessionSink): void {
    for (let reason = this.#deadlines.takeDue(now.us); reason !== undefined; reason = this.#deadlines.takeDue(now.us)) {
      this.#deadline(reason, now, out);
      if (this.#isOver()) return;
    }
  }

  #deadline(reason: DeadlineReason, now: Now, out: SessionSink): void {
    const { participation, turn } = this.#live(now, out);
    switch (reason) {
      case 'join':
        out.refuse({ status: 503, text: this.#site === undefined ? 'no media node is up' : 'the room did not answer' });
        this.#over('join-failure', 'the room or the site did not become known in time', out);
        return;
      case 'client-silent':
        this.#breakLink(now, out);
        return;
      case 'setup':
        this.#leave({ reason: 'connection-timeout', after: 'disconnect', detail: 'no media came up' }, out);
        return;
      case 'away':
        this.#over('signal-close', 'the client did not come back', out);
        return;
      case 'transport-lost':
        this.#leave({ reason: 'media-failure', after: 'reconnect', detail: 'a transport failed' }, out);
        return;
      case 'answer':
        this.#leave({ reason: 'state-mismatch', after: 'reconnect', detail: 'our offer was not answered' }, out);
        return;
      case 'refresh-token':
        this.#refreshToken(now, out);
        return;
      case 'wishes':
        if (turn !== undefined) participation?.tellUnmetWishes(turn);
        return;
      case 'use':
        if (turn !== undefined) participation?.tellUse(turn);
        return;
      case 'connections':
        if (turn !== undefined) participation?.news.tellConnections(turn);
        return;
      case 'room-update':
        this.#toldRoom = roomText(this.#options.room);
        if (turn !== undefined && this.#linked) participation?.news.tellRoom(turn);
        return;
      case 'simulated-speakers':
        if (this.#linked) out.send(simulatedSpeakers(participation?.everyone() ?? [], 'silent'));
        return;
    }
  }

  #heard(now: Now): void {
    this.#deadlines.set('client-silent', now.us + PING_TIMEOUT_S * 1_000_000);
  }

  #refreshToken(now: Now, out: SessionSink): void {
    if (!this.#linked) return;
    this.#deadlines.set('refresh-token', now.us + this.#options.times.refreshTokenUs);
    out.refreshToken(this.#self.claims());
  }

  /** What is needed to act for a live session; both undefined when it is none. */
  #live(now: Now, out: SessionSink): { participation: Participation | undefined; turn: Turn | undefined } {
    const site = this.#site;
    if (this.#phase !== 'live' || site === undefined) return { participation: undefined, turn: undefined };
    return { participation: this.#participation, turn: { site, nowUs: now.us, out } };
  }

  #sayWhatChanged(now: Now, out: SessionSink): void {
    const { participation, turn } = this.#live(now, out);
    if (participation === undefined || turn === undefined) return;
    this.#deadlines.set('answer', this.#linked ? participation.transports.overdueUs : undefined);
    this.#deadlines.set('wishes', this.#linked ? participation.nextWishUs : undefined);
    this.#deadlines.set('use', this.#linked ? participation.nextUseUs : undefined);
    if (participation.takeIntentChanged()) out.sayIntent(participation.intent());
    const { subscribed } = participation.transports;
    if (subscribed !== this.#subscribed) {
      this.#subscribed = subscribed;
      participation.news.receivesOthers(this.#client, turn);
    }
    const connectionsUs = this.#linked ? participation.news.nextConnectionsUs : undefined;
    if (connectionsUs !== undefined && connectionsUs <= now.us) participation.news.tellConnections(turn);
    this.#deadlines.set('connections', this.#linked ? participation.news.nextConnectionsUs : undefined);
  }

  get #client(): 'here' | 'away' {
    return this.#linked ? 'here' : 'away';
  }

  #isOver(): boolean {
    return this.#phase === 'over';
  }

  #endIf(ending: Ending | undefined, out: SessionSink): void {
    if (ending !== undefined) this.#leave(ending, out);
  }

  /** Says goodbye to the client and is over. */
  #leave(
    { reason, after, detail }: { reason: LeaveReason; after: AfterLeave; detail: string },
    out: SessionSink,
  ): void {
    if (this.#linked) out.send(leaveMessage(reason, after));
    this.#over(reason, detail, out);
  }

  #over(reason: LeaveReason, detail: string, out: SessionSink): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#deadlines.clearAll();
    this.#participation?.transports.drop(out);
    out.sayIntent(this.#participation?.intent(reason) ?? this.#self.intent([], [], reason));
    if (this.#linked) out.closeLink();
    out.event({ type: 'ended', reason, detail });
  }
}

interface Turn extends TransportTurn {
  readonly out: SessionSink;
}

const vital: ReadonlySet<ClientMessage['case']> = new Set(['offer', 'answer', 'leave', 'ping', 'pingReq', 'syncState']);

/** Without these a client can neither go on nor end: it may say them even when it says too much. */
const isVital = (message: ClientMessage): boolean => vital.has(message.case);

/** Whoever was shown out for one of these must not come back by itself. */
function isFinal(reason: LeaveReason): boolean {
  switch (reason) {
    case 'client-initiated':
    case 'duplicate-identity':
    case 'participant-removed':
    case 'room-deleted':
    case 'room-closed':
    case 'room-full':
    case 'join-failure':
      return true;
    case 'server-shutdown':
    case 'state-mismatch':
    case 'signal-close':
    case 'connection-timeout':
    case 'media-failure':
      return false;
  }
}

/** What of a room clients show: told again when it changed. */
const roomText = ({ info }: Room): string =>
  info === undefined ? '' : [info.numParticipants, info.numPublishers, info.maxParticipants, info.metadata].join(' ');
