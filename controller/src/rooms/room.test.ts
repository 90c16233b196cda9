import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Intent, ParticipantId, RoomId, RoomName } from '@sluice/contracts';
import { sampleIntent, sampleTrack } from '@sluice/contracts/internal';
import { FAREWELL_US, MAX_FAREWELLS, Room, type RoomSink, type RoomTime } from './room.ts';
import type { RoomLimits, RoomSettings } from './room-settings.ts';

const START_MS = 1_800_000_000_000;
const SECOND_US = 1_000_000;

/** A room under test, its time, and what it told. */
class Stage {
  readonly room: Room;
  readonly told: string[] = [];
  changes = 0;
  nowUs = 0;
  readonly #sink: RoomSink = {
    changed: () => this.changes++,
    event: (event) => {
      if (event.type === 'ended') this.told.push(`ended ${event.why}`);
      else if (event.type === 'limited') this.told.push(`limited ${event.participant.identity} ${event.field}`);
      else this.told.push([event.type, event.participant.participant, event.participant.left].join(' ').trimEnd());
    },
  };

  constructor(settings: Partial<RoomSettings & RoomLimits> = {}) {
    const id = { roomName: 'room' as RoomName, room: 'RM_1' as RoomId, createdAtMs: START_MS };
    const limits = { maxMetadataBytes: 100, maxAttributesBytes: 20, maxNameCharacters: 10 };
    this.room = new Room(
      id,
      { emptyTimeoutS: 300, departureTimeoutS: 20, maxParticipants: 0, ...limits, ...settings },
      0,
    );
  }

  say(sid: string, over: Partial<Record<keyof Intent, unknown>> = {}): void {
    const intent = sampleIntent(sid, { joinedAtMs: START_MS, ...over });
    this.room.handle({ type: 'intent', intent }, this.time(), this.#sink);
  }

  unspoken(sid: string, why: 'removed' | 'silent'): void {
    this.room.handle({ type: 'unspoken', participant: `PA_${sid}` as ParticipantId, why }, this.time(), this.#sink);
  }

  /** Lets time pass, doing what is due on the way. */
  pass(us: number): void {
    const untilUs = this.nowUs + us;
    for (;;) {
      const deadline = this.room.nextDeadline();
      if (deadline === undefined || deadline.atUs > untilUs) break;
      this.nowUs = deadline.atUs;
      this.room.onDeadline(this.time(), this.#sink);
      if (this.told.at(-1)?.startsWith('ended')) return;
    }
    this.nowUs = untilUs;
  }

  /** `a b -c`: who is shown, a minus before those who left. */
  shown(): string {
    const names = this.room.participants().map(({ participant, left }) => `${left ? '-' : ''}${participant.slice(3)}`);
    return names.sort().join(' ');
  }

  version(sid: string): number {
    return this.room.participants().find(({ participant }) => participant === `PA_${sid}`)?.version ?? 0;
  }

  time(): RoomTime {
    return { nowUs: this.nowUs, unixMs: START_MS + Math.floor(this.nowUs / 1_000) };
  }
}

test('room: whoever says that it is here is in it, and whoever says that it left is shown leaving', () => {
  const stage = new Stage();
  stage.say('a');
  stage.say('b');
  assert.equal(stage.shown(), 'a b');
  stage.say('a', { left: 'client-initiated' });
  assert.equal(stage.shown(), '-a b');
  assert.deepEqual(stage.told, ['entered PA_a', 'entered PA_b', 'left PA_a client-initiated']);
});

test('room: said again changes nothing', () => {
  const stage = new Stage();
  stage.say('a');
  const before = [stage.changes, stage.version('a')];
  stage.pass(SECOND_US);
  stage.say('a');
  assert.deepEqual([stage.changes, stage.version('a')], before);
});

test('room: each change is a higher version, speaking is a change without one', () => {
  const stage = new Stage();
  stage.say('a');
  const first = stage.version('a');
  stage.say('a', { name: 'A' });
  const second = stage.version('a');
  assert.ok(second > first);
  stage.say('a', { name: 'A', speaking: { active: true, level: 0.5 } });
  assert.equal(stage.version('a'), second);
  assert.equal(stage.changes, 3);
});

test('room: versions of a later controller are above those of an earlier one', () => {
  const earlier = new Stage();
  earlier.say('a');
  for (let i = 0; i < 30; i++) {
    earlier.pass(100_000);
    earlier.say('a', { name: `${i}` });
  }
  const later = new Stage();
  later.nowUs = earlier.nowUs + 3 * SECOND_US;
  later.say('a');
  assert.ok(later.version('a') > earlier.version('a'));
});

test('room: of two sessions of an identity the later one stays, whichever comes first', () => {
  for (const order of [
    ['old', 'new'],
    ['new', 'old'],
  ] as const) {
    const stage = new Stage();
    for (const sid of order) stage.say(sid, { identity: 'alice', joinedAtMs: START_MS + (sid === 'new' ? 1 : 0) });
    assert.equal(stage.shown(), '-old new', order.join());
    stage.say('old', { identity: 'alice', name: 'still here' });
    stage.say('new', { identity: 'alice', joinedAtMs: START_MS + 1, left: 'client-initiated' });
    stage.say('old', { identity: 'alice', name: 'still' });
    assert.equal(stage.shown(), '-new -old', 'the older one never returns');
  }
});

test('room: who was replaced stays out for as long as somebody speaks for it', () => {
  const stage = new Stage();
  stage.say('old', { identity: 'alice' });
  stage.say('new', { identity: 'alice', joinedAtMs: START_MS + 1 });
  stage.pass(10 * FAREWELL_US);
  assert.equal(stage.shown(), 'new');
  stage.say('old', { identity: 'alice', name: 'zombie' });
  assert.equal(stage.shown(), 'new');
  stage.unspoken('old', 'removed');
  stage.say('new', { identity: 'alice', joinedAtMs: START_MS + 1, left: 'client-initiated' });
  assert.equal(stage.shown(), '-new');
});

test('room: farewells end after a while and are told once', () => {
  const stage = new Stage();
  stage.say('a');
  stage.say('b');
  stage.say('a', { left: 'client-initiated' });
  stage.room.takeChanges();
  stage.pass(FAREWELL_US - 1);
  assert.equal(stage.shown(), '-a b');
  stage.pass(1);
  assert.equal(stage.shown(), 'b');
  assert.deepEqual(stage.room.takeChanges(), { participants: [], forgotten: ['PA_a'] });
  assert.deepEqual(stage.room.takeChanges(), { participants: [], forgotten: [] });
});

test('room: a storm of refused joins does not fill the view', () => {
  const stage = new Stage({ maxParticipants: 1 });
  stage.say('a');
  for (let i = 0; i < 2 * MAX_FAREWELLS; i++) stage.say(`x${i}`);
  assert.equal(stage.room.participants().length, 1 + MAX_FAREWELLS);
});

test('room: a full room refuses, but not who replaces itself, nor recorders and the hidden', () => {
  const stage = new Stage({ maxParticipants: 1 });
  stage.say('a', { identity: 'alice' });
  stage.say('b');
  stage.say('rec', { kind: 'egress' });
  const { permissions } = sampleIntent('x');
  stage.say('hid', { permissions: { ...permissions, hidden: true } });
  stage.say('c', { identity: 'alice', joinedAtMs: START_MS + 1 });
  assert.equal(stage.shown(), '-a -b c hid rec');
  assert.ok(stage.told.includes('refused PA_b room-full'));
  assert.equal(stage.room.info().numParticipants, 1);
});

test('room: a place that is free again can be taken, but not by who was refused', () => {
  const stage = new Stage({ maxParticipants: 1 });
  stage.say('a');
  stage.say('b');
  stage.say('a', { left: 'client-initiated' });
  stage.say('b', { name: 'again' });
  stage.say('c');
  assert.equal(stage.shown(), '-a -b c');
});

test('room: what is too large keeps a participant out, or stays as it was', () => {
  const stage = new Stage();
  stage.say('big', { metadata: 'x'.repeat(101) });
  stage.say('a', { metadata: 'fine', attributes: { k: 'v' } });
  stage.say('a', { metadata: '☎'.repeat(50), attributes: { k: 'x'.repeat(20) }, name: 'new', active: false });
  assert.deepEqual(stage.told, [
    'refused PA_big join-failure',
    'entered PA_a',
    'limited a metadata',
    'limited a attributes',
  ]);
  const a = stage.room.participants().find(({ identity }) => identity === 'a');
  assert.deepEqual([a?.metadata, a?.attributes, a?.name, a?.active], ['fine', { k: 'v' }, 'new', false]);
});

test('room: who is spoken for no more has left, and why is told', () => {
  const stage = new Stage();
  stage.say('a');
  stage.say('b');
  stage.unspoken('a', 'removed');
  stage.unspoken('b', 'silent');
  stage.unspoken('never', 'silent');
  assert.deepEqual(stage.told.slice(2), ['left PA_a signal-close', 'left PA_b connection-timeout']);
});

test('room: participants and publishers are counted', () => {
  const stage = new Stage();
  stage.say('a', { tracks: [sampleTrack('1')] });
  stage.say('b');
  assert.deepEqual([stage.room.info().numParticipants, stage.room.info().numPublishers], [2, 1]);
  stage.say('a', { tracks: [] });
  stage.say('b', { tracks: [sampleTrack('2')] });
  stage.say('b', { left: 'client-initiated' });
  assert.deepEqual([stage.room.info().numParticipants, stage.room.info().numPublishers], [1, 0]);
});

test('room: ends some time after everybody left, unless somebody returns', () => {
  const stage = new Stage();
  stage.say('a');
  stage.say('a', { left: 'client-initiated' });
  stage.pass(19 * SECOND_US);
  stage.say('b');
  stage.pass(100 * SECOND_US);
  assert.equal(stage.told.at(-1), 'entered PA_b');
  stage.say('b', { left: 'client-initiated' });
  stage.pass(21 * SECOND_US);
  assert.equal(stage.told.at(-1), 'ended departure-timeout');
  assert.equal(stage.nowUs, 139 * SECOND_US);
});

test('room: that nobody could enter ends after the empty timeout', () => {
  const stage = new Stage();
  stage.say('big', { metadata: 'x'.repeat(101) });
  stage.pass(400 * SECOND_US);
  assert.equal(stage.told.at(-1), 'ended empty-timeout');
  assert.equal(stage.nowUs, 300 * SECOND_US);
});

const wantedOf = (stage: Stage, sid: string): unknown =>
  stage.room.participants().find(({ participant }) => participant === `PA_${sid}`)?.wanted;

test('room: what subscribers want is shown with the publisher, without a new version', () => {
  const stage = new Stage();
  const track = sampleTrack('1');
  stage.say('a', { tracks: [track] });
  stage.say('b');
  stage.room.takeChanges();
  const version = stage.room.participants()[0]?.version;
  stage.say('b', { wants: [{ track: track.track, quality: 'low' }] });
  const [shown, ...others] = stage.room.takeChanges().participants;
  assert.deepEqual(others, [], 'who wants it has not changed for anyone');
  assert.deepEqual(shown?.wanted, [{ track: track.track, quality: 'low' }]);
  assert.equal(shown?.version, version);
});

test('room: wants said before the track is published count, and those of who left do not', () => {
  const stage = new Stage();
  const track = sampleTrack('1');
  stage.say('b', { wants: [{ track: track.track, quality: 'high' }] });
  stage.say('c', { wants: [{ track: track.track, quality: 'off' }] });
  stage.say('a', { tracks: [track] });
  assert.deepEqual(wantedOf(stage, 'a'), [{ track: track.track, quality: 'high' }]);
  stage.say('b', { left: 'client-initiated', wants: [{ track: track.track, quality: 'high' }] });
  assert.deepEqual(wantedOf(stage, 'a'), [{ track: track.track, quality: 'off' }]);
  stage.unspoken('c', 'silent');
  assert.deepEqual(wantedOf(stage, 'a'), []);
});

test('room: connection quality changes without a new version', () => {
  const stage = new Stage();
  stage.say('a');
  const version = stage.room.participants()[0]?.version;
  stage.room.takeChanges();
  stage.pass(SECOND_US);
  stage.say('a', { connection: { quality: 'good', score: 3.5 } });
  const [shown] = stage.room.takeChanges().participants;
  assert.deepEqual([shown?.connection?.quality, shown?.version], ['good', version]);
});
