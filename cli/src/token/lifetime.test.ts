import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lifetimeS } from './lifetime.ts';

test('lifetime: seconds, minutes, hours and days', () => {
  assert.deepEqual(['90', '90s', '30m', '6h', '2d', '1.5h'].map(lifetimeS), [90, 90, 1_800, 21_600, 172_800, 5_400]);
});

test('lifetime: what is none is told apart from zero', () => {
  assert.deepEqual(['', '0', '-1h', '6 hours', 'h', '1w'].map(lifetimeS), Array.from({ length: 6 }).fill(undefined));
});
