import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { audioRating, type Impairments, opinionScore, qualityOf, videoRating } from './score.ts';

const network = (over: Partial<Impairments> = {}): Impairments => ({ lossShare: 0, rttMs: 40, jitterMs: 2, ...over });
const audio = (over: Partial<Impairments>): string => qualityOf(audioRating(network(over)));
const video = (over: Partial<Impairments>, share = 1): string => qualityOf(videoRating(network(over), share));

test('score: a network without faults is excellent, and scores what the E-model gives at its best', () => {
  assert.deepEqual([audio({}), video({})], ['excellent', 'excellent']);
  assert.ok(Math.abs(opinionScore(93.2) - 4.41) < 0.01);
  assert.equal(opinionScore(0), 1);
});

test('score: audio is good up to a tenth lost, then poor', () => {
  assert.deepEqual(
    [0.03, 0.1, 0.2].map((lossShare) => audio({ lossShare })),
    ['excellent', 'good', 'poor'],
  );
});

test('score: a long way round takes its toll', () => {
  assert.deepEqual(
    [200, 450, 900].map((rttMs) => audio({ rttMs })),
    ['excellent', 'good', 'poor'],
  );
});

test('score: video is poor from 6 % lost after repair, or when a tenth of the rate comes', () => {
  assert.deepEqual(
    [0.01, 0.04, 0.08].map((lossShare) => video({ lossShare })),
    ['excellent', 'good', 'poor'],
  );
  assert.deepEqual(
    [1, 0.4, 0.1, 0].map((share) => video({}, share)),
    ['excellent', 'good', 'poor', 'poor'],
  );
});

test('score: worse in anything is never better, and everything stays on the scale', () => {
  const impairments = fc.record({
    lossShare: fc.double({ min: 0, max: 1, noNaN: true }),
    rttMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
    jitterMs: fc.double({ min: 0, max: 1_000, noNaN: true }),
  });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(impairments, impairments, share, share, (a, b, shareA, shareB) => {
      const worse = {
        lossShare: Math.max(a.lossShare, b.lossShare),
        rttMs: Math.max(a.rttMs, b.rttMs),
        jitterMs: Math.max(a.jitterMs, b.jitterMs),
      };
      assert.ok(audioRating(worse) <= audioRating(a));
      assert.ok(videoRating(worse, Math.min(shareA, shareB)) <= videoRating(a, shareA));
      const score = opinionScore(videoRating(a, shareA));
      assert.ok(score >= 0.9 && score <= 4.5);
    }),
  );
});
