import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peersText } from './report.ts';
import type { Round } from './round.ts';
import { receiversOf, type Shape, shapes, sourcesOf, streamsOf } from './shapes.ts';

const named = (name: string): Shape => {
  const found = shapes.find((shape) => shape.name === name);
  assert.ok(found);
  return found;
};

test('shapes: everybody who sends or receives is there once, and the streams are theirs', () => {
  for (const shape of shapes) {
    const members = [...sourcesOf(shape), ...receiversOf(shape)];
    assert.equal(new Set(members.map(({ room, identity }) => `${room}/${identity}`)).size, members.length, shape.name);
  }
  const rooms = named('rooms');
  assert.deepEqual([sourcesOf(rooms).length, receiversOf(rooms).length], [20, 100]);
  assert.deepEqual(streamsOf(rooms), { video: 100, audio: 0 });
  const meetings = named('meetings');
  assert.deepEqual([sourcesOf(meetings).length, receiversOf(meetings).length], [0, 80]);
  assert.deepEqual(streamsOf(meetings), { video: 560, audio: 560 });
  assert.deepEqual(streamsOf(named('1-500')), { video: 500, audio: 0 });
});

const round: Round = {
  packetsPerSecond: 18_000,
  cpuUsPerPacket: 2,
  core: 0.04,
  loss: 0,
  delayP50Us: 400,
  delayP99Us: 1_000,
  residentBytesPerReceiver: 65_536,
  load: 0.05,
  dropped: 0,
};

test('report: servers side by side, and why one is not there', () => {
  const text = peersText({
    machine: 'machine',
    rounds: 3,
    seconds: 4,
    peers: [
      { name: 'One', version: '1', missing: undefined, notes: ['a', 'b'] },
      { name: 'Other', version: undefined, missing: 'Other is not installed', notes: [] },
    ],
    shapes: [
      { shape: named('1-100'), peer: 'One', rounds: [round, { ...round, cpuUsPerPacket: 9 }, round], failures: [] },
      { shape: named('1-10'), peer: 'One', rounds: [], failures: ['0 of 10 streams came'] },
      { shape: named('audio'), peer: 'One', rounds: [{ ...round, loss: 0.2, core: 0.98 }], failures: ['x'] },
    ],
    full: [{ peer: 'One', full: undefined, failure: 'broke' }],
  });
  assert.match(text, /- \*\*One\*\* \(1\): a; b\./);
  assert.match(text, /- \*\*Other\*\*: not run\. Other is not installed/);
  assert.match(text, /\| 1 → 100 \| One \| 2\.00 \| 4 % \| 18\.0 k \| 0\.40 \| 1\.00 \| 0 \| 64 \| {2}\|/);
  assert.match(text, /\| 1 → 10 \| One \| – .* \| 0 of 10 streams came \|/);
  assert.match(text, /20\.0 % .*its core is full.*; 1 rounds failed: x/);
  assert.match(text, /\| One \| – \| – \| – \| broke \|/);
});
