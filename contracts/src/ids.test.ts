import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  Identity,
  makeNodeId,
  makeParticipantId,
  makeRoomId,
  makeSessionId,
  makeTrackId,
  makeWriterId,
  NodeId,
  ParticipantId,
  type RandomBytes,
  RoomId,
  RoomName,
  randomBase62,
  SessionId,
  SiteName,
  TrackId,
  WriterId,
} from './ids.ts';

test('ids: what is made here is read here, and by nothing else', () => {
  const kinds = [
    [RoomId, makeRoomId(randomBytes)],
    [ParticipantId, makeParticipantId(randomBytes)],
    [TrackId, makeTrackId('audio', 'microphone', randomBytes)],
    [SessionId, makeSessionId(randomBytes)],
    [NodeId, makeNodeId(randomBytes)],
    [WriterId, makeWriterId(randomBytes)],
  ] as const;
  for (const [schema] of kinds) {
    for (const [other, id] of kinds) assert.equal(schema.safeParse(id).success, other === schema, id);
  }
});

test('ids: the letters of a track tell its kind and source', () => {
  assert.match(makeTrackId('video', 'screen-share', randomBytes), /^TR_VS[0-9A-Za-z]{12}$/);
  assert.match(makeTrackId('audio', 'microphone', randomBytes), /^TR_AM[0-9A-Za-z]{12}$/);
});

test('ids: base62 favours no character', () => {
  let calls = 0;
  const steady: RandomBytes = (length) =>
    createHash('shake256', { outputLength: length }).update(String(calls++)).digest();
  const counts = new Map<string, number>();
  for (const character of randomBase62(steady, 62_000)) counts.set(character, (counts.get(character) ?? 0) + 1);
  assert.equal(counts.size, 62);
  // A thousand of each are expected; 5 standard deviations are 157.
  for (const [character, count] of counts) assert.ok(Math.abs(count - 1_000) < 160, `${character}: ${count}`);
});

test('names: rooms and identities have 1 to 256 characters, sites are host-name labels', () => {
  for (const schema of [RoomName, Identity]) {
    assert.ok(schema.safeParse('Ünï ☎').success && schema.safeParse('x'.repeat(256)).success);
    for (const bad of ['', 'x'.repeat(257), 7, null]) assert.ok(!schema.safeParse(bad).success);
  }
  for (const good of ['fra', 'eu-west-1', '1']) assert.ok(SiteName.safeParse(good).success);
  for (const bad of ['', 'Fra', '-a', 'a b', 'x'.repeat(64)]) assert.ok(!SiteName.safeParse(bad).success);
});
