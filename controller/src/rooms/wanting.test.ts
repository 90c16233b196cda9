import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrackId, TrackWant, WantedQuality } from '@sluice/contracts';
import { Wanting } from './wanting.ts';

const V = 'TR_v' as TrackId;
const want = (quality: WantedQuality, track = V): TrackWant[] => [{ track, quality }];

test('wanting: a track is wanted as well as whoever wants it best', () => {
  const wanting = new Wanting();
  assert.deepEqual(wanting.replace([], want('low')), [V]);
  assert.deepEqual(wanting.replace([], want('high')), [V]);
  assert.deepEqual(wanting.replace([], want('medium')), [], 'nothing that anyone would notice');
  assert.equal(wanting.best(V), 'high');
  assert.deepEqual(wanting.replace(want('high'), want('off')), [V]);
  assert.equal(wanting.best(V), 'medium');
});

test('wanting: received and not looked at is something else than not received', () => {
  const wanting = new Wanting();
  wanting.replace([], want('off'));
  assert.deepEqual(wanting.of([{ track: V }, { track: 'TR_w' as TrackId }]), want('off'));
  assert.deepEqual(wanting.replace(want('off'), []), [V]);
  assert.deepEqual(wanting.of([{ track: V }]), []);
});

test('wanting: what nobody wants any more leaves nothing behind', () => {
  const wanting = new Wanting();
  wanting.replace([], [...want('low'), ...want('high', 'TR_w' as TrackId)]);
  wanting.replace([...want('low'), ...want('high', 'TR_w' as TrackId)], []);
  assert.equal(wanting.size, 0);
});
