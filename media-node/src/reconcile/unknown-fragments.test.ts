import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UnknownFragments } from './unknown-fragments.ts';

/** How many questions an hour of noise makes. */
function questions(unknown: UnknownFragments, seconds: number, startS: number): number {
  let asked = 0;
  for (let s = startS; s < startS + seconds; s++) {
    for (let i = 0; i < 100; i++) if (unknown.seen(`noise${s}-${i}`, s * 1_000_000)) asked++;
  }
  return asked;
}

test('unknown fragments: the first one asks at once', () => {
  assert.equal(new UnknownFragments().seen('abcd', 0), true);
});

test('unknown fragments: noise makes questions rare', () => {
  const unknown = new UnknownFragments();
  assert.ok(questions(unknown, 3_600, 0) < 70);
});

test('unknown fragments: a spec that a client asked for makes questions worth asking again', () => {
  const unknown = new UnknownFragments();
  questions(unknown, 600, 0);
  unknown.known(['never asked for']);
  assert.equal(unknown.seen('real', 601_000_000), false);
  unknown.known(['real']);
  assert.equal(unknown.seen('another', 602_000_000), true);
});
