import assert from 'node:assert/strict';
import { ClientInfo } from '@livekit/protocol';
import {
  Identity,
  type Intent,
  Intent as IntentSchema,
  makeSessionId,
  type ParticipantId,
  type ParticipantView,
  type Permissions,
  RoomInfo,
  type RoomName,
  RoomViewReader,
  type SessionId,
  SessionSpec,
  type SessionStatus,
  SiteName,
} from '@sluice/contracts';
import { sampleView } from '@sluice/contracts/internal';
import { seededRandom } from '@sluice/runtime';
import type { ConnectRequest } from '../messages/connect-request.ts';
import { type ClientMessage, encodeFrame, type ServerMessage, type ServerMessageCase } from '../messages/wire.ts';
import { testSite } from '../negotiation/test-client.ts';
import type { HttpRefusal } from '../ports.ts';
import type { Claims, Grants } from '../tokens/claims.ts';
import { Session } from './session.ts';
import type { SessionEvent, SessionInput, SessionOptions, SessionSink } from './session-terms.ts';

/** What tests of sessions share: a room that shows what intents say, and a session whose effects are kept. */

export const allowed: Permissions = {
  canPublish: true,
  canSubscribe: true,
  canPublishData: true,
  canPublishSources: [],
  canUpdateMetadata: true,
  hidden: false,
  recorder: false,
};

export const SECOND = 1_000_000;
const JOINED_MS = 1_800_000_000_000;

export const participantView = (name: string, over: Partial<ParticipantView> = {}): ParticipantView =>
  sampleView(name, { permissions: allowed, clientProtocol: 2, capabilities: [2], joinedAtMs: JOINED_MS, ...over });

/** Limits that tests can reach. */
export const testLimits: SessionOptions['limits'] = {
  metadataBytes: 1000,
  attributesBytes: 1000,
  tracksPerParticipant: 4,
  wishesPerParticipant: 8,
  messages: { perSecond: 10, burst: 100 },
  vitalMessages: { perSecond: 10, burst: 50 },
};

export const testTimes: SessionOptions['times'] = {
  joinUs: 5 * SECOND,
  setupUs: 60 * SECOND,
  awayUs: 120 * SECOND,
  transportLostUs: 5 * SECOND,
  refreshTokenUs: 300 * SECOND,
};

export const trackView = (name: string, over: object = {}): ParticipantView['tracks'][number] => {
  const kind = name.startsWith('a') ? 'audio' : 'video';
  return {
    track: `TR_${name}` as ParticipantView['tracks'][number]['track'],
    kind,
    source: kind === 'audio' ? 'microphone' : 'camera',
    name: '',
    muted: false,
    widthPx: 0,
    heightPx: 0,
    mimeType: kind === 'audio' ? 'audio/opus' : 'video/VP8',
    simulcast: false,
    layers: [],
    stereo: false,
    disableDtx: false,
    disableRed: false,
    encryption: 'none',
    stream: '',
    audioFeatures: [],
    ...over,
  };
};

/** A room as a controller would show it. */
export class TestRoom {
  readonly view = new RoomViewReader();
  readonly #sessions: TestSession[] = [];
  readonly #known = new Map<string, ParticipantView>();
  #generation = 0;
  info: RoomInfo = RoomInfo.parse({
    room: 'RM_room',
    roomName: 'room',
    metadata: '',
    createdAtMs: JOINED_MS,
    emptyTimeoutS: 300,
    departureTimeoutS: 20,
    maxParticipants: 0,
    numParticipants: 0,
    numPublishers: 0,
  });

  tell(session: TestSession): void {
    this.#sessions.push(session);
  }

  /** What the room says of some participants from now on. */
  show(...participants: ParticipantView[]): void {
    for (const participant of participants) this.#known.set(participant.participant, participant);
    this.#say(participants);
  }

  /** The controller takes an intent over. */
  take(intent: Intent, over: Partial<ParticipantView> = {}): void {
    const { roomName: _, known: __, wants: ___, ...fields } = intent;
    const version = (this.#known.get(intent.participant)?.version ?? 0) + 1;
    this.show({ ...fields, wanted: [], version, ...over });
  }

  /** The whole room, without some. */
  forget(...names: string[]): void {
    for (const name of names) this.#known.delete(`PA_${name}`);
    this.#say([...this.#known.values()], 'whole');
  }

  end(): void {
    this.#deliver(null);
  }

  #say(participants: ParticipantView[], how: 'whole' | 'part' = 'part'): void {
    const complete = how === 'whole' || this.#generation === 0;
    const since = complete ? 0 : this.#generation;
    this.#deliver({ info: this.info, complete, since, part: 0, parts: 1, participants, forgotten: [] });
  }

  #deliver(view: Parameters<RoomViewReader['apply']>[1]): void {
    this.#generation++;
    const outcome = this.view.apply({ epoch: 1, generation: this.#generation }, view);
    assert.equal(outcome.type, 'changed');
    if (outcome.type !== 'changed') return;
    for (const session of this.#sessions) session.input({ type: 'room', change: outcome.change });
  }
}

type ServerMessageValues = { readonly [M in ServerMessage as M['case']]: M['value'] };

export interface TestSessionOptions {
  readonly identity?: string;
  readonly permissions?: Partial<Permissions>;
  readonly request?: Partial<ConnectRequest>;
  readonly over?: Partial<SessionOptions>;
  readonly seed?: number;
}

export const connectRequest = (over: Partial<ConnectRequest> = {}): ConnectRequest => ({
  mode: 'dual',
  client: new ClientInfo({ browser: 'chrome', clientProtocol: 2, capabilities: [2] }),
  autoSubscribe: true,
  adaptiveStream: false,
  allowPause: true,
  publishAs: '',
  metadata: '',
  attributes: {},
  addTracks: [],
  offer: undefined,
  resume: undefined,
  ...over,
});

export function testGrants(identity: string, permissions: Partial<Permissions> = {}): Grants {
  return {
    apiKey: 'devkey',
    room: 'room' as RoomName,
    identity: Identity.parse(identity),
    name: identity,
    metadata: '',
    attributes: {},
    kind: 'standard',
    permissions: { ...allowed, ...permissions },
    expiresAtS: 2_000_000_000,
    claims: { iss: 'devkey', sub: identity, exp: 2_000_000_000, video: { roomJoin: true, room: 'room' } },
  };
}

/** One session with everything that it did to the world. Every message is encoded: what cannot be is a failure. */
export class TestSession implements SessionSink {
  readonly messages: ServerMessage[] = [];
  readonly intents: Intent[] = [];
  readonly specs = new Map<SessionId, SessionSpec>();
  readonly events: SessionEvent[] = [];
  readonly refusals: HttpRefusal[] = [];
  readonly tokens: Claims[] = [];
  closedLinks = 0;
  pausedUs = 0;
  readonly room: TestRoom;
  readonly session: Session;
  readonly grants: Grants;
  readonly request: ConnectRequest;
  #nowUs = 10 * SECOND;
  #taken = 0;

  constructor(room: TestRoom, options: TestSessionOptions = {}) {
    const { identity = 'me', permissions = {}, request = {}, over = {}, seed = 1 } = options;
    const random = seededRandom(seed);
    this.room = room;
    this.grants = testGrants(identity, permissions);
    this.request = connectRequest(request);
    this.session = new Session(
      {
        participant: `PA_${identity}` as ParticipantId,
        grants: this.grants,
        request: this.request,
        room: room.view,
        site: testSite,
        siteName: SiteName.parse('test'),
        place: { site: 'test', writer: 'WR_test' },
        limits: testLimits,
        times: testTimes,
        negotiation: { random, maxSections: 64, preferredDtlsRole: 'server' },
        random,
        makeSessionId: () => makeSessionId(random),
        ...over,
      },
      this.#now(),
    );
    room.tell(this);
  }

  /** Starts it and lets the room show it. */
  enter(): this {
    this.session.start(this.#now(), this);
    this.room.take(this.intent);
    return this;
  }

  /** Its primary peer connection is up. */
  connect(): this {
    this.status({ state: 'connected' });
    return this;
  }

  input(input: SessionInput): void {
    this.session.handle(input, this.#now(), this);
  }

  say(message: ClientMessage): void {
    this.input({ type: 'message', message });
  }

  status(status: Partial<SessionStatus>, at = 0): void {
    const sessions = this.session.sessions;
    // In dual mode the subscriber's comes last and is the primary one.
    const session = sessions[sessions.length - 1 - at];
    assert.ok(session);
    const base = {
      session,
      room: 'RM_room',
      node: 'ND_x',
      state: 'connected',
      startedTracks: [],
      lastDataSequence: 0,
      audio: [],
      pausedTracks: [],
    };
    this.input({ type: 'status', status: { ...base, ...status } as SessionStatus });
  }

  /** Time goes by; whatever is due happens when it is due. Unless the client pings, it is silent. */
  pass(us: number, client: 'pings' | 'silent' = 'pings'): void {
    const untilUs = this.#nowUs + us;
    let pingUs = this.#nowUs + 5 * SECOND;
    for (;;) {
      const deadlineUs = this.session.nextDeadlineUs() ?? Number.POSITIVE_INFINITY;
      const nextUs = Math.min(deadlineUs, client === 'pings' ? pingUs : Number.POSITIVE_INFINITY);
      if (nextUs > untilUs) break;
      this.#nowUs = Math.max(this.#nowUs, nextUs);
      if (client === 'pings' && pingUs <= nextUs) {
        pingUs += 5 * SECOND;
        this.say({ case: 'ping', value: 1n });
      } else this.input({ type: 'deadline' });
    }
    this.#nowUs = untilUs;
  }

  /** Cases of the messages since the last call, pongs left out. */
  heard(): ServerMessageCase[] {
    const cases = this.messages.slice(this.#taken).map((message) => message.case);
    this.#taken = this.messages.length;
    return cases.filter((name) => name !== 'pong');
  }

  last<C extends ServerMessageCase>(name: C): ServerMessageValues[C] {
    const found = this.messages.findLast((message) => message.case === name);
    assert.ok(found, `no ${name} was sent`);
    return found.value as ServerMessageValues[C];
  }

  count(name: ServerMessageCase): number {
    return this.messages.filter((message) => message.case === name).length;
  }

  get intent(): Intent {
    const intent = this.intents.at(-1);
    assert.ok(intent);
    return intent;
  }

  ended(): (SessionEvent & { type: 'ended' }) | undefined {
    return this.events.find((event) => event.type === 'ended');
  }

  // SessionSink

  send(message: ServerMessage): void {
    encodeFrame(message, 'binary');
    encodeFrame(message, 'text');
    this.messages.push(message);
  }

  saySpec(spec: SessionSpec): void {
    const parsed = SessionSpec.safeParse(spec);
    assert.ok(parsed.success, parsed.error?.message);
    this.specs.set(spec.session, spec);
  }

  dropSpec(session: SessionId): void {
    assert.ok(this.specs.delete(session), 'a spec is dropped that was never said');
  }

  refuse(refusal: HttpRefusal): void {
    this.refusals.push(refusal);
  }

  closeLink(): void {
    this.closedLinks++;
  }

  pauseLink(forUs: number): void {
    this.pausedUs += forUs;
  }

  refreshToken(claims: Claims): void {
    this.tokens.push(claims);
  }

  sayIntent(intent: Intent): void {
    const parsed = IntentSchema.safeParse(intent);
    assert.ok(parsed.success, parsed.error?.message);
    this.intents.push(intent);
  }

  event(event: SessionEvent): void {
    this.events.push(event);
  }

  #now(): { us: number; unixMs: number } {
    return { us: this.#nowUs, unixMs: JOINED_MS + Math.floor(this.#nowUs / 1000) };
  }
}
