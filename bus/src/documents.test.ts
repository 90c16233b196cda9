import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '@sluice/runtime';
import { RecordingLogger, VirtualClock } from '@sluice/runtime/internal';
import { anyScope, type BusDocument, type Scope } from './bus.ts';
import { DocumentReader, type DocumentReaderOptions } from './document-reader.ts';
import { DocumentWriter } from './document-writer.ts';
import { type KindOf, REPEAT_US, SILENT_AFTER_US } from './documents.ts';
import { type InProcessBus, InProcessHub } from './in-process.ts';

interface Thing {
  readonly size: number;
}

const thing: KindOf<Thing> = {
  name: 'thing',
  schema: {
    safeParse: (body) =>
      typeof body === 'object' && body !== null && 'size' in body && typeof body.size === 'number'
        ? { success: true, data: { size: body.size } }
        : { success: false, error: { message: 'no size' } },
  },
};

interface World {
  readonly clock: VirtualClock;
  readonly hub: InProcessHub;
  writer(name?: string, bus?: InProcessBus): DocumentWriter<Thing>;
  reader(options?: { scope?: Scope; bus?: InProcessBus; silent?: (body: Thing) => void }): Heard;
}

interface Heard {
  readonly reader: DocumentReader<Thing>;
  /** `key=size`, or `key gone`, in the order heard. */
  readonly lines: string[];
}

function world(): World {
  const clock = new VirtualClock();
  const hub = new InProcessHub({ clock, random: seededRandom(7), bodies: 'frozen' });
  return {
    clock,
    hub,
    writer: (name = 'WR_1', bus = hub.connect()) => new DocumentWriter({ bus, clock, kind: thing, writer: name }),
    reader: ({ scope: wanted, bus = hub.connect(), silent } = {}) => {
      const scope: Scope = wanted ?? 'room';
      const lines: string[] = [];
      const changed = (body: Thing | null, { key }: BusDocument): void => {
        lines.push(body === null ? `${key} gone` : `${key}=${body.size}`);
      };
      const base: DocumentReaderOptions<Thing> = { bus, clock, kind: thing, scope, changed };
      return { lines, reader: new DocumentReader(silent === undefined ? base : { ...base, silent }) };
    },
  };
}

/** What passed a spy's eyes. */
function sayings(hub: InProcessHub): BusDocument[] {
  const all: BusDocument[] = [];
  hub.connect().read('thing', anyScope, (document) => all.push(document));
  return all;
}

test('documents: a reader hears each change once', () => {
  const { clock, writer, reader } = world();
  const [w, r] = [writer(), reader()];
  w.set('room', 'a', { size: 1 });
  w.set('room', 'a', { size: 2 });
  w.set('hall', 'b', { size: 9 });
  clock.advance(0);
  w.sayAgain('room');
  clock.advance(0);
  assert.deepEqual(r.lines, ['a=1', 'a=2']);
  assert.equal(r.reader.get('room', 'a')?.size, 2);
});

test('documents: a reader that starts late asks and is told', () => {
  const { clock, writer, reader } = world();
  const w = writer();
  w.set('room', 'a', { size: 1 });
  w.set('room', 'b', { size: 2 });
  clock.advance(1_000);
  const r = reader();
  const all = reader({ scope: anyScope });
  clock.advance(1_000);
  assert.deepEqual(r.lines, ['a=1', 'b=2']);
  assert.deepEqual(all.lines, ['a=1', 'b=2']);
});

test('documents: removal is told, and a late repetition of an older owner does not undo it', () => {
  const { clock, hub, writer, reader } = world();
  const [old, r] = [writer('WR_old'), reader()];
  old.set('room', 'a', { size: 1 }, 1);
  clock.advance(0);
  const next = writer('WR_new', hub.connect());
  next.set('room', 'a', { size: 2 }, 2);
  next.remove('room', 'a');
  clock.advance(0);
  old.set('room', 'a', { size: 3 }, 1);
  old.sayAgain('room');
  clock.advance(0);
  assert.deepEqual(r.lines, ['a=1', 'a=2', 'a gone']);
  assert.equal(r.reader.get('room', 'a'), undefined);
  assert.equal(r.reader.stale, 2);
});

test('documents: a document that is set anew after its removal is newer', () => {
  const { clock, writer, reader } = world();
  const [w, r] = [writer(), reader()];
  w.set('room', 'a', { size: 1 });
  w.remove('room', 'a');
  w.set('room', 'a', { size: 2 });
  w.remove('room', 'never');
  clock.advance(0);
  assert.deepEqual(r.lines, ['a=1', 'a gone', 'a=2']);
});

test('documents: a later run of the same owner goes on above the earlier one', () => {
  const { clock, writer, reader } = world();
  const [first, r] = [writer('WR_1'), reader()];
  for (let size = 0; size < 5; size++) first.set('room', 'a', { size });
  first.close();
  clock.advance(1_000_000);
  writer('WR_2').set('room', 'a', { size: 100 });
  clock.advance(0);
  assert.equal(r.lines.at(-1), 'a=100');
});

test('documents: a new owner with a higher epoch wins whatever its generations are', () => {
  const { clock, writer, reader } = world();
  const [old, r] = [writer('WR_old'), reader()];
  for (let size = 0; size < 5; size++) old.set('room', 'a', { size }, 7);
  clock.advance(0);
  writer('WR_new').set('room', 'a', { size: 50 }, 8);
  clock.advance(0);
  old.set('room', 'a', { size: 6 }, 7);
  clock.advance(0);
  assert.deepEqual(r.lines.slice(-1), ['a=50']);
});

test('documents: what the bus lost is made good by the next repetition', () => {
  const { clock, hub, writer, reader } = world();
  const [w, r] = [writer(), reader()];
  clock.advance(1_000_000);
  hub.setConditions({ delayUs: [0, 0], loss: 1 });
  w.set('room', 'a', { size: 1 });
  clock.advance(1_000_000);
  hub.setConditions({ delayUs: [0, 0], loss: 0 });
  assert.deepEqual(r.lines, []);
  clock.advance(REPEAT_US);
  assert.deepEqual(r.lines, ['a=1']);
});

test('documents: after an outage writers say everything again and readers ask for it', () => {
  const { clock, hub, writer, reader } = world();
  const [w, r] = [writer(), reader()];
  clock.advance(1_000_000);
  hub.cut();
  w.set('room', 'a', { size: 1 });
  clock.advance(1_000_000);
  hub.restore();
  clock.advance(1_000);
  assert.deepEqual(r.lines, ['a=1']);
});

test('documents: a thousand questions at once are answered twice', () => {
  const { clock, hub, writer } = world();
  const w = writer();
  w.set('room', 'a', { size: 1 });
  const said = sayings(hub);
  clock.advance(1_000_000);
  const bus = hub.connect();
  for (let i = 0; i < 1_000; i++) bus.askAgain('thing', 'room');
  clock.advance(5_000_000);
  assert.equal(said.filter(({ scope }) => scope === 'room').length, 2);
});

test('documents: a reader asks at most five times a second', () => {
  const { clock, hub, reader } = world();
  let asked = 0;
  hub.connect().onAskedAgain('thing', 'room', () => asked++);
  const { reader: r } = reader();
  for (let i = 0; i < 1_000; i++) {
    r.askAgain();
    clock.advance(1_000);
  }
  clock.advance(1_000_000);
  assert.ok(asked >= 5 && asked <= 7, `${asked}`);
});

test('documents: each is repeated once in ten seconds, spread', () => {
  const { clock, hub, writer } = world();
  const said = sayings(hub);
  const w = writer();
  for (let i = 0; i < 10; i++) {
    w.set('room', `k${i}`, { size: i });
    clock.advance(1_000_000);
  }
  const before = said.length;
  clock.advance(3 * REPEAT_US);
  assert.equal(said.length - before, 30);
});

test('documents: an invalid document is counted and logged, never given', () => {
  const { clock, hub } = world();
  const logger = new RecordingLogger();
  const changed: unknown[] = [];
  const reader = new DocumentReader({
    bus: hub.connect(),
    clock,
    logger,
    kind: thing,
    scope: 'room',
    changed: (body) => changed.push(body),
  });
  const bus = hub.connect();
  for (let generation = 1; generation <= 100; generation++) {
    const body = { size: 'large' };
    bus.say({ kind: 'thing', scope: 'room', key: 'a', writer: 'WR_1', epoch: 1, generation, body });
  }
  clock.advance(0);
  assert.deepEqual(changed, []);
  assert.equal(reader.invalid, 100);
  assert.equal(logger.events().length, 7, 'the 1st, 2nd, 4th … 64th');
});

test('documents: a writer that is gone is noticed once, and again when it returns', () => {
  const { clock, hub, reader } = world();
  const bus = hub.connect();
  const w = new DocumentWriter({ bus, clock, kind: thing, writer: 'WR_1' });
  const silent: number[] = [];
  const r = reader({ silent: ({ size }) => silent.push(size) });
  w.set('room', 'a', { size: 1 });
  clock.advance(5 * SILENT_AFTER_US);
  assert.deepEqual(silent, [], 'it repeats itself');
  bus.cut();
  clock.advance(2 * SILENT_AFTER_US);
  assert.deepEqual(silent, [1]);
  assert.deepEqual(r.lines, ['a=1']);
  bus.restore();
  clock.advance(0);
  assert.deepEqual(r.lines, ['a=1', 'a=1'], 'the same version counts anew');
});

test('documents: without a listener for silence, a gone writer counts as removal', () => {
  const { clock, hub, reader } = world();
  const bus = hub.connect();
  const w = new DocumentWriter({ bus, clock, kind: thing, writer: 'WR_1' });
  const r = reader();
  w.set('room', 'a', { size: 1 });
  clock.advance(1_000);
  bus.cut();
  clock.advance(2 * SILENT_AFTER_US);
  assert.deepEqual(r.lines, ['a=1', 'a gone']);
  bus.restore();
  clock.advance(1_000);
  assert.deepEqual(r.lines, ['a=1', 'a gone', 'a=1']);
});

test('documents: silence means nothing while the bus is away', () => {
  const { clock, hub, writer, reader } = world();
  const [w, r] = [writer(), reader()];
  w.set('room', 'a', { size: 1 });
  clock.advance(1_000);
  hub.cut();
  clock.advance(10 * SILENT_AFTER_US);
  hub.restore();
  clock.advance(1_000);
  assert.deepEqual(r.lines, ['a=1']);
});

test('documents: parts say changes, questions get the whole, repetitions only remind', () => {
  const { clock, hub, writer } = world();
  const said = sayings(hub);
  const w = writer();
  const parts = {
    changes: (since: number) => [{ size: since === 0 ? 0 : 1 }],
    whole: () => [{ size: 100 }, { size: 101 }],
    reminder: () => ({ size: 7 }),
  };
  w.setParts('room', 'a', parts);
  w.setParts('room', 'a', parts);
  clock.advance(0);
  const sizes = (): unknown[] => said.splice(0).map(({ body }) => (body as Thing).size);
  assert.deepEqual(sizes(), [0, 1]);
  hub.connect().askAgain('thing', 'room');
  clock.advance(0);
  assert.deepEqual(sizes(), [100, 101]);
  clock.advance(REPEAT_US + 1_000_000);
  assert.deepEqual(sizes(), [7]);
  w.setParts('room', 'a', parts, 2);
  clock.advance(0);
  assert.deepEqual(sizes(), [0], 'another epoch builds on nothing');
});

test('documents: closed writers and readers leave no timer', () => {
  const { clock, writer, reader } = world();
  const [w, r] = [writer(), reader()];
  w.set('room', 'a', { size: 1 });
  clock.advance(1_000_000);
  r.reader.askAgain();
  w.close();
  r.reader.close();
  clock.advance(0);
  assert.equal(clock.pendingTimers(), 0);
});

test('documents: what a reader remembers of removed documents is forgotten in the end', () => {
  const { clock, writer, reader } = world();
  const [w, r] = [writer(), reader()];
  for (let i = 0; i < 1_000; i++) {
    w.set('room', `k${i}`, { size: i });
    w.remove('room', `k${i}`);
  }
  clock.advance(0);
  assert.equal(w.size, 0);
  assert.equal(r.reader.size, 1_000);
  clock.advance(3 * SILENT_AFTER_US);
  assert.equal(r.reader.size, 0);
});
