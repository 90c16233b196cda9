import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BoundedQueue } from './bounded-queue.ts';
import { AppError } from './errors.ts';
import { createLogger, silentLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { seededRandom, systemRandom, uniform } from './random.ts';
import { redact, redactFields } from './redact.ts';
import { createSealer } from './sealer.ts';

test('bounded queue: keeps the order, the bound and the count, whichever end overflows', () => {
  const operation = fc.oneof(fc.nat(), fc.constant('shift' as const), fc.constant('drain' as const));
  const overflow = fc.constantFrom('drop-oldest' as const, 'drop-newest' as const);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), overflow, fc.array(operation), (capacity, which, operations) => {
      const queue = new BoundedQueue<number>(capacity, which);
      let model: number[] = [];
      let dropped = 0;
      for (const step of operations) {
        if (step === 'shift') assert.equal(queue.shift(), model.shift());
        else if (step === 'drain') assert.deepEqual(queue.drain(), model.splice(0));
        else {
          const full = model.length === capacity;
          if (full) dropped++;
          if (full && which === 'drop-oldest') model = [...model.slice(1), step];
          if (!full) model.push(step);
          assert.equal(queue.push(step), !full);
        }
        assert.equal(queue.length, model.length);
        assert.equal(queue.peek(), model[0]);
        assert.equal(queue.dropped, dropped);
      }
    }),
  );
});

test('bounded queue: a capacity that is none is refused', () => {
  for (const capacity of [0, -1, 1.5, Number.NaN])
    assert.throws(() => new BoundedQueue(capacity, 'drop-oldest'), RangeError);
});

test('random: a seed gives the same bytes again, another seed others', () => {
  const bytesOf = (seed: number): string => Buffer.from(seededRandom(seed)(32)).toString('hex');
  assert.equal(bytesOf(1), bytesOf(1));
  assert.notEqual(bytesOf(1), bytesOf(2));
  assert.notEqual(bytesOf(0), bytesOf(1));
  assert.equal(systemRandom(16).length, 16);
});

test('random: uniform numbers fill [0, 1) evenly', () => {
  const random = seededRandom(42);
  const buckets = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) {
    const bucket = Math.floor(uniform(random) * 10);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  for (const count of buckets) assert.ok(count > 850 && count < 1_150, String(buckets));
});

test('sealer: opens what it sealed for the same purpose with the same secret, and nothing else', () => {
  const sealer = createSealer('secret', systemRandom);
  const sealed = sealer.seal('key', 'hello');
  assert.equal(sealer.open('key', sealed)?.toString(), 'hello');
  assert.equal(sealer.open('other', sealed), undefined);
  assert.equal(createSealer('Secret', systemRandom).open('key', sealed), undefined);
  assert.notEqual(sealer.seal('key', 'hello'), sealed, 'a nonce is never used twice');
});

test('sealer: a text changed anywhere does not open, and garbage throws nothing', () => {
  const sealer = createSealer('secret', systemRandom);
  const sealed = Buffer.from(sealer.seal('key', new Uint8Array([1, 2, 3])).slice(3), 'base64url');
  for (let i = 0; i < sealed.length * 8; i++) {
    const bad = Buffer.from(sealed);
    bad.writeUInt8(bad.readUInt8(i >> 3) ^ (1 << (i & 7)), i >> 3);
    assert.equal(sealer.open('key', `v1.${bad.toString('base64url')}`), undefined);
  }
  for (const garbage of ['', 'v1.', 'v2.abc', 'v1.AAAA', '☎']) assert.equal(sealer.open('key', garbage), undefined);
});

test('redact: equal texts look equal, and nothing of the text is left', () => {
  assert.equal(redact('10.1.2.3'), redact('10.1.2.3'));
  assert.notEqual(redact('10.1.2.3'), redact('10.1.2.4'));
  assert.match(redact('10.1.2.3'), /^redacted:[0-9a-f]{8}$/);
});

test('redact: sensitive names are found however deep, errors become fields', () => {
  const fields = redactFields({
    roomId: 'RM_1',
    accessToken: 'abc',
    remoteAddress: '10.0.0.1',
    offer: { sdp: 'v=0', type: 'offer' },
    apiKeys: { devkey: 'secret' },
    credentials: [{ password: 'p' }],
    error: new AppError('BUS_X', 'it broke', { cause: new Error('inner') }),
  });
  const text = JSON.stringify(fields);
  for (const secret of ['abc', '10.0.0.1', 'v=0', '"secret"', '"p"']) assert.ok(!text.includes(secret), secret);
  for (const shown of ['RM_1', '"offer"', 'BUS_X', 'it broke', 'inner']) assert.ok(text.includes(shown), shown);
});

test('redact: what refers to itself ends', () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  assert.ok(JSON.stringify(redactFields(loop)).includes('too deep'));
});

test('logger: json lines carry event, level and fields, below the level nothing', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'info', format: 'json', write: (line) => void lines.push(line) });
  logger.debug('not.said');
  logger.with({ nodeId: 'ND_1' }).warn('session.closed', { reason: 'consent-expired', token: 'abc' });
  assert.equal(lines.length, 1);
  const { time, token, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(line, { level: 'warn', event: 'session.closed', nodeId: 'ND_1', reason: 'consent-expired' });
  assert.equal(typeof time, 'number');
  assert.match(String(token), /^redacted:/);
});

test('logger: text lines are for people', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'debug', format: 'text', write: (line) => void lines.push(line) });
  logger.info('room.created', { roomName: 'my room', count: 3, list: ['a'] });
  assert.match(
    lines[0] ?? '',
    /^\d\d:\d\d:\d\d\.\d{3} info {2}room\.created roomName="my room" count=3 list=\["a"\]\n$/,
  );
  silentLogger.error('nothing');
});

test('metrics: one name is one metric, and numbers kept elsewhere are read when somebody looks', async () => {
  const metrics = createMetrics();
  const description = { name: 'sluice_things_total', help: 'Things.', labels: ['kind'] };
  metrics.counter(description).add(2, { kind: 'a' });
  metrics.counter(description).add(1, { kind: 'a' });
  metrics.gauge({ name: 'sluice_level', help: 'Level.' }).set(0.5);
  metrics.histogram({ name: 'sluice_wait_ms', help: 'Wait.', buckets: [1, 10] }).observe(5);
  let total = 5;
  const drops = { name: 'sluice_drops_total', help: 'Drops.', labels: ['reason'] };
  const stop = metrics.read('counter', drops, () => [{ value: total, labels: { reason: 'late' } }]);
  metrics.read('counter', drops, () => [{ value: 1, labels: { reason: 'full' } }]);
  total = 7;
  const text = await metrics.text();
  for (const line of [
    'sluice_things_total{kind="a"} 3',
    'sluice_level 0.5',
    'sluice_wait_ms_bucket{le="10"} 1',
    'sluice_drops_total{reason="late"} 7',
    'sluice_drops_total{reason="full"} 1',
  ]) {
    assert.ok(text.includes(line), `${line} in\n${text}`);
  }
  stop();
  assert.ok(!(await metrics.text()).includes('reason="late"'));
});
