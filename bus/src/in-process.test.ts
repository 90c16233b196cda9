import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import { anyScope, type Bus, type BusDocument } from './bus.ts';
import { busConformance } from './conformance.ts';
import { InProcessBus, InProcessHub, type InProcessHubOptions } from './in-process.ts';

function makeHub(over: Partial<InProcessHubOptions> = {}): { hub: InProcessHub; clock: VirtualClock } {
  const clock = new VirtualClock();
  return { clock, hub: new InProcessHub({ clock, random: seededRandom(1), bodies: 'frozen', ...over }) };
}

const inProcess = (bus: Bus): InProcessBus => {
  assert.ok(bus instanceof InProcessBus);
  return bus;
};

busConformance('in-process', async () => {
  const { hub, clock } = makeHub();
  const made: Bus[] = [];
  return {
    connect: async () => {
      const bus = hub.connect();
      made.push(bus);
      return bus;
    },
    settle: () => clock.run(0),
    pass: (us) => clock.run(us),
    cut: async (bus) => inProcess(bus).cut(),
    restore: async (bus) => inProcess(bus).restore(),
    close: async () => {
      for (const bus of made) await bus.close();
      assert.equal(clock.pendingTimers(), 0, 'a closed bus leaves no timer');
    },
  };
});

const document = (generation: number, body: unknown = {}): BusDocument => ({
  kind: 'thing',
  scope: 'room',
  key: 'a',
  writer: 'WR_1',
  epoch: 1,
  generation,
  body,
});

test('in-process: delay keeps the order of a writer, also when it shrinks', () => {
  const { hub, clock } = makeHub({ conditions: { delayUs: [1_000, 50_000], loss: 0 } });
  const [a, b] = [hub.connect(), hub.connect()];
  const heard: { generation: number; atUs: number }[] = [];
  const startUs = clock.nowUs();
  b.read('thing', anyScope, ({ generation }) => heard.push({ generation, atUs: clock.nowUs() - startUs }));
  for (let i = 0; i < 50; i++) a.say(document(i));
  hub.setConditions({ delayUs: [0, 0], loss: 0 });
  for (let i = 50; i < 100; i++) a.say(document(i));
  clock.advance(999);
  assert.equal(heard.length, 0);
  clock.advance(60_000);
  assert.deepEqual(
    heard.map(({ generation }) => generation),
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.ok((heard.at(-1)?.atUs ?? 0) <= 50_000);
});

test('in-process: loss loses its share, counted', () => {
  const { hub, clock } = makeHub({ conditions: { delayUs: [0, 0], loss: 0.3 } });
  const [a, b] = [hub.connect(), hub.connect()];
  let heard = 0;
  b.read('thing', anyScope, () => heard++);
  for (let i = 0; i < 1_000; i++) a.say(document(i));
  clock.advance(0);
  assert.ok(heard > 650 && heard < 750, `${heard} of 1000`);
  assert.equal(hub.counters().drops.lost, 1_000 - heard);
  assert.equal(hub.counters().delivered, heard);
});

test('in-process: a full way drops the oldest and counts it', () => {
  const { hub, clock } = makeHub({ queueCapacity: 3 });
  const [a, b] = [hub.connect(), hub.connect()];
  const heard: number[] = [];
  b.read('thing', anyScope, ({ generation }) => heard.push(generation));
  for (let i = 0; i < 5; i++) a.say(document(i));
  clock.advance(0);
  assert.deepEqual(heard, [2, 3, 4]);
  assert.equal(hub.counters().drops['queue-full'], 2);
});

test('in-process: what is on its way when the bus goes away is lost and counted', () => {
  const { hub, clock } = makeHub({ conditions: { delayUs: [1_000, 1_000], loss: 0 } });
  const [a, b] = [hub.connect(), hub.connect()];
  let heard = 0;
  b.read('thing', anyScope, () => heard++);
  a.say(document(1));
  hub.cut();
  a.say(document(2));
  hub.restore();
  clock.advance(10_000);
  assert.equal(heard, 0);
  assert.equal(hub.counters().drops.away, 2);
});

test('in-process: frozen bodies cannot be changed by a reader, and what JSON cannot carry is refused', () => {
  const { hub } = makeHub();
  const a = hub.connect();
  const body = { list: [{ x: 1 }] };
  a.say(document(1, body));
  assert.throws(() => body.list.push({ x: 2 }), TypeError);
  for (const bad of [{ x: Number.NaN }, { x: new Map() }, { x: 1n }, [() => {}], { deep: [new Date()] }]) {
    assert.throws(() => a.say(document(2, bad)), /JSON cannot carry it/);
  }
});
