import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutRealWorld } from '../scenarios/real-world.ts';
import { runTrial } from './run-trial.ts';
import { trials } from './trials.ts';

/** Those that ask for something and take little time; `npm run networks` runs all. */
const chosen = trials.filter(({ name }) => ['third', 'late joiner', '10 % of loss'].includes(name));

for (const trial of chosen) {
  test(`trial: ${trial.name}`, async () => {
    const { wrong, figures } = await withoutRealWorld(() => runTrial(trial, 1));
    assert.deepEqual(wrong, [], JSON.stringify(figures));
  });
}
