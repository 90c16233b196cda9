import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParticipantId } from '../ids.ts';
import { sampleView } from '../samples.ts';
import { type ParticipantView, RoomInfo, type RoomView } from './participant.ts';
import { RoomViewReader } from './room-view-reader.ts';

const participant = (sid: string, version: number, over: object = {}): ParticipantView =>
  sampleView(sid, { version, ...over });

const info = (over: object = {}): RoomInfo =>
  RoomInfo.parse({
    room: 'RM_1',
    roomName: 'room',
    metadata: '',
    createdAtMs: 1,
    emptyTimeoutS: 300,
    departureTimeoutS: 20,
    maxParticipants: 0,
    numParticipants: 0,
    numPublishers: 0,
    ...over,
  });

const whole = (participants: ParticipantView[], over: Partial<RoomView> = {}): RoomView => ({
  info: info(),
  complete: true,
  since: 0,
  part: 0,
  parts: 1,
  participants,
  forgotten: [],
  ...over,
});

const part = (since: number, participants: ParticipantView[], over: Partial<RoomView> = {}): RoomView =>
  whole(participants, { complete: false, since, ...over });

const at = (generation: number, epoch = 1): { epoch: number; generation: number } => ({ epoch, generation });

const namesIn = (reader: RoomViewReader): string[] => [...reader.participants()].map(({ identity }) => identity).sort();

/** `changed a,b vanished c`, or the other outcomes by name. */
function said(outcome: ReturnType<RoomViewReader['apply']>): string {
  if (outcome.type !== 'changed') return outcome.type;
  const { changed, vanished, ended } = outcome.change;
  const names = (list: readonly ParticipantView[]): string => list.map(({ identity }) => identity).join(',');
  return [`changed ${names(changed)}`, `vanished ${names(vanished)}`, ended ? 'ended' : ''].join(' ').trimEnd();
}

test('room view: partial views build on the complete one', () => {
  const reader = new RoomViewReader();
  assert.equal(said(reader.apply(at(1), whole([participant('a', 1)]))), 'changed a vanished');
  assert.equal(said(reader.apply(at(2), part(1, [participant('b', 1)]))), 'changed b vanished');
  assert.equal(said(reader.apply(at(3), part(2, [participant('a', 2)]))), 'changed a vanished');
  assert.deepEqual(namesIn(reader), ['a', 'b']);
  assert.equal(reader.get('PA_a' as ParticipantId)?.version, 2);
});

test('room view: repetition changes nothing, older sayings and older controllers neither', () => {
  const reader = new RoomViewReader();
  reader.apply(at(5, 2), whole([participant('a', 1)]));
  for (const version of [at(5, 2), at(4, 2), at(900, 1)]) {
    assert.equal(said(reader.apply(version, whole([participant('b', 1)]))), 'unchanged');
    assert.equal(said(reader.apply(version, part(0, [participant('b', 1)]))), 'unchanged');
    assert.equal(said(reader.apply(version, null)), 'unchanged');
  }
  assert.deepEqual(namesIn(reader), ['a']);
});

test('room view: a partial view without what it builds on is a gap, and the whole heals it', () => {
  const reader = new RoomViewReader();
  assert.equal(said(reader.apply(at(3), part(2, [participant('a', 1)]))), 'gap');
  assert.equal(said(reader.apply(at(3), whole([participant('a', 1)]))), 'changed a vanished');
  assert.equal(said(reader.apply(at(5), part(4, [participant('b', 1)]))), 'gap');
  assert.equal(said(reader.apply(at(5), part(5, []))), 'gap', 'a repetition reminds of what was missed');
  assert.equal(said(reader.apply(at(5), whole([participant('a', 1), participant('b', 1)]))), 'changed b vanished');
  assert.equal(said(reader.apply(at(5), part(5, []))), 'unchanged');
});

test('room view: a new controller begins with a complete view', () => {
  const reader = new RoomViewReader();
  reader.apply(at(9, 1), whole([participant('a', 1), participant('b', 1)]));
  assert.equal(said(reader.apply(at(10, 2), part(9, [participant('c', 1)]))), 'gap');
  assert.equal(
    said(reader.apply(at(10, 2), whole([participant('a', 1), participant('c', 1)]))),
    'changed c vanished b',
  );
});

test('room view: several parts are taken as one, whatever their order', () => {
  const reader = new RoomViewReader();
  const parts = [0, 1, 2].map((n) => whole([participant(`p${n}`, 1)], { part: n, parts: 3 }));
  const [first, second, third] = parts;
  assert.ok(first && second && third);
  assert.equal(said(reader.apply(at(1), third)), 'unchanged');
  assert.equal(said(reader.apply(at(1), first)), 'unchanged');
  assert.equal(said(reader.apply(at(1), first)), 'unchanged', 'said twice');
  assert.equal(said(reader.apply(at(1), second)), 'changed p2,p0,p1 vanished');
});

test('room view: parts of two sayings do not mix', () => {
  const reader = new RoomViewReader();
  reader.apply(at(1), whole([participant('old', 1)], { part: 0, parts: 2 }));
  assert.equal(said(reader.apply(at(2), whole([participant('b', 1)], { part: 1, parts: 2 }))), 'unchanged');
  assert.equal(said(reader.apply(at(1), whole([participant('x', 1)], { part: 1, parts: 2 }))), 'unchanged');
  assert.equal(said(reader.apply(at(2), whole([participant('a', 1)], { part: 0, parts: 2 }))), 'changed b,a vanished');
});

test('room view: who left stays until forgotten, and comes first', () => {
  const reader = new RoomViewReader();
  reader.apply(at(1), whole([participant('a', 1)]));
  const left = participant('a', 2, { left: 'duplicate-identity' });
  const outcome = reader.apply(at(2), part(1, [participant('b', 1), left]));
  assert.equal(said(outcome), 'changed a,b vanished');
  assert.deepEqual(namesIn(reader), ['a', 'b']);
  assert.equal(said(reader.apply(at(3), part(2, [], { forgotten: [left.participant] }))), 'changed  vanished');
  assert.deepEqual(namesIn(reader), ['b']);
});

test('room view: who is missing from a complete view has vanished, unless it was seen leaving', () => {
  const reader = new RoomViewReader();
  reader.apply(at(1), whole([participant('a', 1), participant('b', 2, { left: 'client-initiated' })]));
  assert.equal(said(reader.apply(at(2), whole([]))), 'changed  vanished a');
});

test('room view: speaking is a change without a new version', () => {
  const reader = new RoomViewReader();
  reader.apply(at(1), whole([participant('a', 1), participant('b', 1)]));
  const speaking = participant('a', 1, { speaking: { active: true, level: 0.5 } });
  assert.equal(said(reader.apply(at(2), part(1, [speaking]))), 'changed a vanished');
});

test('room view: connection quality and what is wanted are changes without a new version', () => {
  const reader = new RoomViewReader();
  reader.apply(at(1), whole([participant('a', 1), participant('b', 1)]));
  const poor = { connection: { quality: 'poor', score: 2 } };
  assert.equal(said(reader.apply(at(2), part(1, [participant('a', 1, poor)]))), 'changed a vanished');
  const wanted = { wanted: [{ track: 'TR_b', quality: 'low' }] };
  assert.equal(said(reader.apply(at(3), part(2, [participant('b', 1, wanted)]))), 'changed b vanished');
  assert.equal(said(reader.apply(at(4), part(3, [participant('b', 1, wanted)]))), 'changed  vanished');
});

test('room view: the end of the room leaves nobody, and the next room of that name starts anew', () => {
  const reader = new RoomViewReader();
  assert.equal(said(reader.apply(at(1), null)), 'unchanged');
  reader.apply(at(2), whole([participant('a', 1)]));
  assert.equal(said(reader.apply(at(3), null)), 'changed  vanished a ended');
  assert.equal(reader.info, undefined);
  assert.equal(said(reader.apply(at(4), part(3, [participant('b', 1)]))), 'gap');
  assert.equal(said(reader.apply(at(5), whole([participant('b', 1)]))), 'changed b vanished');
});

test('room view: a room with another id under the same name replaces the old one', () => {
  const reader = new RoomViewReader();
  reader.apply(at(1), whole([participant('a', 1)]));
  const room = { info: info({ room: 'RM_2' }) };
  assert.equal(said(reader.apply(at(2), part(1, [participant('b', 1)], room))), 'gap');
  assert.equal(said(reader.apply(at(2), whole([participant('b', 1)], room))), 'changed b vanished a');
  assert.equal(reader.info?.room, 'RM_2');
});
