import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Conditions, Link } from './link.ts';
import { SeededRandom } from './random.ts';

interface Arrival {
  readonly atUs: number;
  readonly sequence: number;
}

function run(conditions: Conditions, packets: number, intervalUs: number, seed = 1, bytes = 1000): Arrival[] {
  const link = new Link(conditions, new SeededRandom(seed));
  const arrivals: Arrival[] = [];
  for (let sequence = 0; sequence < packets; sequence++) {
    const deliver = (atUs: number): void => {
      arrivals.push({ atUs, sequence });
    };
    link.send(new Uint8Array(bytes), sequence * intervalUs, { deliver });
  }
  return arrivals;
}

test('link: a perfect one delivers everything at once and in order', () => {
  assert.deepEqual(
    run({}, 5, 100).map((a) => a.atUs),
    [0, 100, 200, 300, 400],
  );
});

test('link: random loss comes near its probability', () => {
  const share = run({ loss: { kind: 'random', probability: 0.3 } }, 20_000, 1).length / 20_000;
  assert.ok(Math.abs(share - 0.7) < 0.02, `delivered ${share}`);
});

test('link: burst loss loses runs of about the mean burst length', () => {
  const loss = { kind: 'bursts', toBad: 0.01, toGood: 0.2, lossInBad: 1 } as const;
  const got = new Set(run({ loss }, 50_000, 1).map((a) => a.sequence));
  let bursts = 0;
  let lost = 0;
  for (let i = 1; i < 50_000; i++) {
    if (got.has(i)) continue;
    lost += 1;
    if (got.has(i - 1)) bursts += 1;
  }
  const mean = lost / bursts;
  assert.ok(mean > 4 && mean < 6, `mean burst ${mean}`);
});

test('link: the bottleneck spaces packets by their size and drops its tail when the queue is full', () => {
  // 1000 B + 28 B of headers at 1 Mbit/s take 8.224 ms each.
  const arrivals = run({ rateBps: 1_000_000, queueBytes: 3_000 }, 10, 0);
  assert.deepEqual(
    arrivals.map((a) => a.atUs),
    [8224, 16448, 24672],
  );
});

test('link: without reorder, jitter never makes one packet overtake another', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 50 }), (seed, jitterMs) => {
      const arrivals = run({ delayMs: 20, jitterMs }, 200, 500, seed);
      assert.ok(arrivals.every((a, i) => i === 0 || a.atUs >= (arrivals[i - 1]?.atUs ?? 0)));
    }),
  );
});

test('link: the same seed is the same network', () => {
  const conditions: Conditions = {
    delayMs: 10,
    jitterMs: 5,
    loss: { kind: 'random', probability: 0.2 },
    duplicate: 0.1,
  };
  assert.deepEqual(run(conditions, 500, 300, 7), run(conditions, 500, 300, 7));
});
