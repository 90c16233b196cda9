import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutRealWorld } from '../scenarios/real-world.ts';
import { runChurn } from './churn.ts';

test('sim: people come and go for a while, and nothing of them stays; npm run churn takes hours of it', async () => {
  const plan = { seed: 1, periods: 1, doingS: 30, deedsPerMinute: 80, rooms: 1, people: 4 };
  const nothing = { memory: () => ({ heapBytes: 0, residentBytes: 0 }), tell: () => {} };
  const { wrong, done, moments } = await withoutRealWorld(() => runChurn(plan, nothing));
  assert.deepEqual(wrong, []);
  assert.ok(moments.some(({ present }) => present > 1));
  for (const deed of ['join', 'leave', 'crash', 'vanish']) assert.ok((done[deed] ?? 0) > 0, deed);
});
