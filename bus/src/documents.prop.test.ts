import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import fc from 'fast-check';
import { DocumentReader } from './document-reader.ts';
import { DocumentWriter } from './document-writer.ts';
import { type KindOf, REPEAT_US, SILENT_AFTER_US } from './documents.ts';
import { InProcessHub } from './in-process.ts';

const number: KindOf<number> = {
  name: 'number',
  schema: {
    safeParse: (body) =>
      typeof body === 'number' ? { success: true, data: body } : { success: false, error: { message: 'no number' } },
  },
};

/** A hub and a reader that keeps what it was last told of each key. */
function world(seed: number): { clock: VirtualClock; hub: InProcessHub; told: Map<string, number> } {
  const clock = new VirtualClock();
  const hub = new InProcessHub({ clock, random: seededRandom(seed), bodies: 'frozen' });
  const told = new Map<string, number>();
  new DocumentReader({
    bus: hub.connect(),
    clock,
    kind: number,
    scope: 'room',
    changed: (body, { key }) => (body === null ? told.delete(key) : told.set(key, body)),
  });
  return { clock, hub, told };
}

const saying = fc.record({
  key: fc.constantFrom('a', 'b'),
  epoch: fc.integer({ min: 1, max: 3 }),
  generation: fc.integer({ min: 1, max: 4 }),
  removed: fc.boolean(),
});

test('documents: whatever the order and however often, the newest version is what a reader ends with', () => {
  fc.assert(
    fc.property(fc.array(saying, { maxLength: 30 }), (sayings) => {
      const { clock, hub, told } = world(1);
      const bus = hub.connect();
      // One version has one body.
      const bodyOf = new Map<string, number | null>();
      const newest = new Map<string, { rank: number; body: number | null }>();
      for (const [i, { key, epoch, generation, removed }] of sayings.entries()) {
        const rank = epoch * 10 + generation;
        const body = bodyOf.get(`${key}${rank}`) ?? (bodyOf.has(`${key}${rank}`) || removed ? null : i);
        bodyOf.set(`${key}${rank}`, body);
        bus.say({ kind: 'number', scope: 'room', key, writer: 'WR_1', epoch, generation, body });
        if (rank > (newest.get(key)?.rank ?? 0)) newest.set(key, { rank, body });
      }
      clock.advance(0);
      for (const [key, { body }] of newest) if (body === null) newest.delete(key);
      assert.deepEqual(told, new Map([...newest].map(([key, { body }]) => [key, body])));
    }),
  );
});

type Step =
  | { readonly set: string; readonly value: number }
  | { readonly remove: string }
  | { readonly loss: number }
  | 'cut'
  | 'restore'
  | { readonly pass: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ set: fc.constantFrom('a', 'b', 'c'), value: fc.nat(100) }),
  fc.record({ remove: fc.constantFrom('a', 'b', 'c') }),
  fc.record({ loss: fc.constantFrom(0, 0.5, 1) }),
  fc.constantFrom('cut' as const, 'restore' as const),
  fc.record({ pass: fc.nat(20_000_000) }),
);

test('documents: after any loss and any outage a reader ends with what its writer means', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.nat(1_000), (steps, seed) => {
      const { clock, hub, told } = world(seed);
      const writer = new DocumentWriter({ bus: hub.connect(), clock, kind: number, writer: 'WR_1' });
      const meant = new Map<string, number>();
      for (const one of steps) {
        if (one === 'cut') hub.cut();
        else if (one === 'restore') hub.restore();
        else if ('loss' in one) hub.setConditions({ delayUs: [0, 5_000], loss: one.loss });
        else if ('pass' in one) clock.advance(one.pass);
        else if ('set' in one) {
          writer.set('room', one.set, one.value);
          meant.set(one.set, one.value);
        } else {
          writer.remove('room', one.remove);
          meant.delete(one.remove);
        }
      }
      hub.restore();
      hub.setConditions({ delayUs: [0, 0], loss: 0 });
      clock.advance(SILENT_AFTER_US + 2 * REPEAT_US);
      assert.deepEqual(told, meant);
    }),
  );
});
