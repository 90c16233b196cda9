import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddTrackRequest,
  LeaveRequest,
  LeaveRequest_Action,
  SessionDescription,
  TrackType,
  VideoLayer,
} from '@livekit/protocol';
import { type Bus, InProcessHub } from '@sluice/bus';
import { type Intent, SiteName } from '@sluice/contracts';
import { seededRandom } from '@sluice/runtime';
import { RecordingLogger, VirtualClock } from '@sluice/runtime/internal';
import { readTestDescription } from '@sluice/sdp/internal';
import { BusDocuments } from '../documents.ts';
import type { ClientMessage, ServerMessage, ServerMessageCase } from '../messages/wire.ts';
import { TestClient } from '../negotiation/test-client.ts';
import type { ClientInput, ClientLink, HttpRefusal } from '../ports.ts';
import { TestCloud } from '../test-cloud.ts';
import { SessionDirectory } from './session-directory.ts';
import { connectRequest, SECOND, type TestSessionOptions, testGrants, testLimits, testTimes } from './test-session.ts';

const chromium = readTestDescription('chromium-send-and-receive');
const site = SiteName.parse('test');
const nothing = (): void => {};

class TestLink implements ClientLink {
  readonly messages: ServerMessage[] = [];
  readonly refusals: HttpRefusal[] = [];
  readonly client = new TestClient(chromium);
  closed = false;
  input: ClientInput | undefined;
  /** What it does instead of taking a message. */
  breaks: Error | undefined;

  send(message: ServerMessage): void {
    if (this.breaks !== undefined) throw this.breaks;
    assert.equal(this.closed, false, `${message.case} after close`);
    this.messages.push(message);
  }

  refuse(refusal: HttpRefusal): void {
    this.refusals.push(refusal);
  }

  close(): void {
    this.closed = true;
  }

  pause(): void {}

  say(message: ClientMessage): void {
    this.input?.message(message);
  }

  heard(): ServerMessageCase[] {
    return this.messages.splice(0).map((message) => message.case);
  }

  /** Answers the newest offer. */
  answer(): void {
    const offer = this.messages.findLast((message) => message.case === 'offer');
    assert.equal(offer?.case, 'offer');
    if (offer?.case !== 'offer') return;
    const { sdp, id } = offer.value;
    this.say({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: this.client.answer(sdp), id }) });
  }
}

class World {
  readonly clock: VirtualClock;
  readonly hub: InProcessHub;
  readonly cloud: TestCloud;
  readonly logger = new RecordingLogger();
  readonly bus: Bus;
  readonly documents: BusDocuments;
  readonly directory: SessionDirectory;
  readonly ended: string[] = [];

  /** `beside`: another signaling of the same cloud. */
  constructor(maxSessions = 10, beside?: World) {
    this.clock = beside?.clock ?? new VirtualClock();
    const { clock } = this;
    this.hub = beside?.hub ?? new InProcessHub({ clock, random: seededRandom(1), bodies: 'frozen' });
    this.cloud = beside?.cloud ?? new TestCloud({ hub: this.hub, clock, site });
    this.bus = this.hub.connect();
    const writer = (beside === undefined ? 'WR_test' : 'WR_beside') as never;
    this.documents = new BusDocuments({ bus: this.bus, clock, site, writer });
    const random = seededRandom(beside === undefined ? 2 : 3);
    this.directory = new SessionDirectory({
      ports: {
        clock: this.clock,
        random,
        logger: this.logger,
        documents: this.documents,
        tokens: { refresh: () => Promise.resolve('a token') },
        counters: {
          joined: nothing,
          connected: nothing,
          resumed: nothing,
          refused: nothing,
          messageRefused: nothing,
          ended: (reason) => this.ended.push(reason),
        },
      },
      bus: this.bus,
      site,
      place: { site: 'test', writer: 'WR_test' },
      maxSessions,
      limits: testLimits,
      times: testTimes,
      negotiation: { random, maxSections: 64, preferredDtlsRole: 'server' },
    });
  }

  connect(identity: string, { request = {} }: TestSessionOptions = {}): TestLink {
    const link = new TestLink();
    link.input = this.directory.connect(connectRequest(request), testGrants(identity), link);
    return link;
  }

  /** A client that has answered its first offer: its media is up. */
  async join(identity: string, options: TestSessionOptions = {}): Promise<TestLink> {
    const link = this.connect(identity, options);
    await this.clock.run(1000);
    assert.deepEqual(
      link.messages.map((message) => message.case),
      ['join', 'offer', 'refreshToken'],
    );
    link.answer();
    await this.clock.run(1000);
    link.heard();
    return link;
  }

  /** Everything closed; what is left is a leak. */
  async close(): Promise<void> {
    this.directory.close();
    this.documents.close();
    await this.cloud.close();
    await this.bus.close();
    assert.equal(this.directory.size, 0);
    assert.equal(this.directory.rooms, 0);
    assert.equal(this.clock.pendingTimers(), 0);
  }
}

const sidOf = (world: World, identity: string): Intent['participant'] => {
  const spec = [...world.cloud.specs.values()].find((each) => each.identity === identity);
  assert.ok(spec);
  return spec.participant;
};

const publish = (link: TestLink, cid: string): void => {
  link.say({ case: 'addTrack', value: new AddTrackRequest({ cid, type: TrackType.AUDIO }) });
  link.client.send(cid);
  link.say({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp: link.client.offer(), id: 0 }) });
};

test('directory: a client joins over the bus, waiting for what it needs', async () => {
  const world = new World();
  const link = world.connect('a');
  await world.clock.run(2 * SECOND);
  assert.deepEqual(link.heard(), []);
  world.cloud.open();
  await world.clock.run(1000);
  assert.deepEqual(link.heard(), ['join', 'offer', 'refreshToken']);
  await world.close();
});

test('directory: a publisher hears of its first subscriber from another signaling, and of the layers wanted there', async () => {
  const world = new World();
  const beside = new World(10, world);
  world.cloud.open();
  const a = await world.join('a');
  const layers = [0, 1, 2].map((quality) => new VideoLayer({ quality, width: 320 << quality, height: 180 << quality }));
  a.say({ case: 'addTrack', value: new AddTrackRequest({ cid: 'v-cam', type: TrackType.VIDEO, layers }) });
  a.client.send('v-cam');
  a.say({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp: a.client.offer(), id: 0 }) });
  await world.clock.run(12 * SECOND);
  const told = a.heard();
  assert.ok(told.includes('subscribedQualityUpdate') && !told.includes('trackSubscribed'), told.join());
  const b = beside.connect('b');
  await world.clock.run(1000);
  b.answer();
  await world.clock.run(1000);
  const update = a.messages.find((message) => message.case === 'subscribedQualityUpdate');
  assert.ok(a.messages.some((message) => message.case === 'trackSubscribed'));
  assert.ok(
    update?.case === 'subscribedQualityUpdate' && update.value.subscribedQualities.every(({ enabled }) => enabled),
  );
  beside.directory.close();
  beside.documents.close();
  await beside.bus.close();
  await world.close();
});

test('directory: without a node the join is refused with 503, and nothing stays', async () => {
  const world = new World();
  const link = world.connect('a');
  await world.clock.run(6 * SECOND);
  assert.deepEqual(
    link.refusals.map(({ status }) => status),
    [503],
  );
  assert.equal(world.directory.size, 0);
  assert.equal(world.directory.rooms, 0);
  await world.clock.run(60 * SECOND);
  assert.deepEqual(world.documents.size, { intents: 0, specs: 0 });
  await world.close();
});

test('directory: two clients hear of each other, of tracks, and of the first subscriber', async () => {
  const world = new World();
  world.cloud.open();
  const a = await world.join('a');
  const b = await world.join('b');
  await world.clock.run(SECOND);
  assert.deepEqual([...new Set(a.heard())], ['update', 'roomUpdate']);
  b.heard();
  publish(a, 'a-mic');
  await world.clock.run(1000);
  assert.deepEqual(a.heard(), ['trackPublished', 'answer', 'update']);
  assert.deepEqual(
    b.messages.map((message) => message.case),
    ['update', 'offer'],
  );
  b.answer();
  await world.clock.run(1000);
  assert.deepEqual(a.heard(), ['trackSubscribed']);
  const received = [...world.cloud.specs.values()].flatMap(({ outgoing }) => outgoing);
  assert.equal(received.length, 1);
  await world.close();
});

test('directory: a newer session of an identity ends the older, whose client hears why', async () => {
  const world = new World();
  world.cloud.open();
  const first = await world.join('a');
  const older = world.cloud.lastIntent('a');
  const second = await world.join('a');
  world.cloud.show(older, { left: 'duplicate-identity' });
  await world.clock.run(1000);
  const leave = first.messages.find((message) => message.case === 'leave');
  assert.equal(leave?.case === 'leave' && leave.value.action, LeaveRequest_Action.DISCONNECT);
  assert.equal(first.closed, true);
  assert.equal(second.closed, false);
  assert.equal(world.directory.size, 1);
  assert.deepEqual(
    second.heard().filter((name) => name !== 'roomUpdate'),
    [],
    'it is not told of its own predecessor',
  );
  await world.close();
});

test('directory: a client comes back on another socket, even while the old one seems open', async () => {
  const world = new World();
  world.cloud.open();
  const old = await world.join('a');
  const participant = sidOf(world, 'a');
  const resume = { participant, reason: 1, syncState: undefined };
  const link = world.connect('a', { request: { resume } });
  await world.clock.run(1000);
  assert.deepEqual(link.heard(), ['reconnect', 'update', 'roomUpdate', 'offer', 'refreshToken']);
  assert.equal(old.closed, true);
  // What the old socket still says, and that it closes, is nobody's business.
  old.say({ case: 'leave', value: new LeaveRequest() });
  old.input?.closed();
  await world.clock.run(1000);
  assert.equal(world.directory.size, 1);
  assert.equal(link.closed, false);
  await world.close();
});

test('directory: nobody resumes a session that is not there or not its own; it must join anew', async () => {
  const world = new World();
  world.cloud.open();
  await world.join('a');
  const participant = sidOf(world, 'a');
  for (const [identity, sid] of [
    ['b', participant],
    ['a', 'PA_unknown' as never],
  ] as const) {
    const link = world.connect(identity, {
      request: { resume: { participant: sid, reason: 0, syncState: undefined } },
    });
    const [leave] = link.messages;
    assert.equal(leave?.case === 'leave' && leave.value.action, LeaveRequest_Action.RECONNECT);
    assert.equal(link.closed, true);
  }
  assert.equal(world.directory.size, 1, 'the session itself is untouched');
  await world.close();
});

test('directory: a session that breaks ends alone, and its client joins anew', async () => {
  const world = new World();
  world.cloud.open();
  const a = await world.join('a');
  const b = await world.join('b');
  a.breaks = new RangeError('a field out of range');
  a.say({ case: 'ping', value: 1n });
  a.breaks = undefined;
  await world.clock.run(SECOND);
  assert.deepEqual(world.ended, ['state-mismatch']);
  assert.ok(world.logger.events().includes('session.broken'));
  assert.equal(a.closed, true);
  assert.deepEqual(
    [...world.cloud.specs.values()].map(({ identity }) => identity),
    ['b'],
  );
  b.heard();
  b.say({ case: 'ping', value: 1n });
  assert.deepEqual(b.heard(), ['pong']);
  await world.close();
});

test('directory: it is full at its limit, and not before', async () => {
  const world = new World(2);
  world.cloud.open();
  await world.join('a');
  const b = await world.join('b');
  const c = world.connect('c');
  assert.deepEqual(
    c.refusals.map(({ status }) => status),
    [503],
  );
  b.say({ case: 'leave', value: new LeaveRequest() });
  await world.join('c');
  await world.close();
});

test('directory: a hundred clients come, publish and go in every way, and nothing stays', async () => {
  const world = new World(1000);
  world.cloud.open();
  for (let n = 0; n < 100; n++) {
    const link = await world.join(`client${n % 7}`);
    if (n % 2 === 0) publish(link, 'a-mic');
    if (n % 3 === 0) link.say({ case: 'leave', value: new LeaveRequest() });
    else link.input?.closed();
    world.cloud.forgetLeft();
    if (n % 50 === 49) await world.clock.run(130 * SECOND);
  }
  await world.clock.run(200 * SECOND);
  assert.equal(world.directory.size, 0);
  assert.equal(world.directory.rooms, 0);
  assert.deepEqual(world.documents.size, { intents: 0, specs: 0 });
  assert.equal(world.cloud.specs.size, 0);
  await world.close();
});

test('directory: when the server stops, every client is asked to join anew', async () => {
  const world = new World();
  world.cloud.open();
  const links = [await world.join('a'), await world.join('b')];
  world.directory.close();
  for (const link of links) {
    const leave = link.messages.findLast((message) => message.case === 'leave');
    assert.equal(leave?.case === 'leave' && leave.value.action, LeaveRequest_Action.RECONNECT);
    assert.equal(link.closed, true);
  }
  const late = world.connect('c');
  assert.deepEqual(
    late.refusals.map(({ status }) => status),
    [503],
  );
  await world.close();
});

test('directory: while the bus is away running sessions go on and joins wait', async () => {
  const world = new World();
  world.cloud.open();
  const a = await world.join('a');
  world.hub.cut();
  const b = world.connect('b');
  await world.clock.run(2 * SECOND);
  a.heard();
  a.say({ case: 'ping', value: 1n });
  assert.deepEqual(a.heard(), ['pong']);
  assert.deepEqual(b.heard(), []);
  world.hub.restore();
  await world.clock.run(2 * SECOND);
  assert.deepEqual(b.messages.map((message) => message.case).slice(0, 2), ['join', 'offer']);
  await world.close();
});
