import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { SessionId, SessionSpec, TrackWish } from '@sluice/contracts';
import fc from 'fast-check';
import type { PacketPathEvent } from './events.ts';
import { loadAddon } from './native.ts';
import { PacketPath, type PacketPathOptions } from './packet-path.ts';
import { bindingRequest, firstVersion, identity, isSuccess, makeSpec } from './testing.ts';

const loopback = [{ address: '127.0.0.1', port: 0 }];

interface Opened {
  readonly path: PacketPath;
  readonly events: PacketPathEvent[];
  /** Resolves with the first event of that type, past or to come. */
  event<T extends PacketPathEvent['type']>(type: T): Promise<Extract<PacketPathEvent, { type: T }>>;
}

/** Closed at the end of the test, whatever becomes of it. */
function open(t: TestContext, options: Partial<PacketPathOptions> = {}): Opened {
  const events: PacketPathEvent[] = [];
  const waiting: (() => void)[] = [];
  const onEvent = (event: PacketPathEvent): void => {
    events.push(event);
    for (const wake of waiting.splice(0)) wake();
  };
  const path = PacketPath.open({ bind: loopback, shards: 2, identity, tuning: {}, onEvent, ...options });
  t.after(() => path.close());
  const event: Opened['event'] = async (type) => {
    for (;;) {
      const found = events.find((candidate) => candidate.type === type);
      if (found !== undefined) return found as Extract<PacketPathEvent, { type: typeof type }>;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { path, events, event };
}

/** A good spec with one field that is not; `where` is its path with points between. */
function changed(where: string, value: unknown): SessionSpec {
  const spec = structuredClone(makeSpec('ann'));
  const names = where.split('.');
  let object = spec as unknown as Record<string, unknown>;
  for (const name of names.slice(0, -1)) object = object[name] as Record<string, unknown>;
  object[names.at(-1) ?? ''] = value;
  return spec;
}

/** Asks, and is answered even when the shard has not heard of the session yet; gives the address that asked. */
async function land(path: PacketPath, name: string): Promise<string> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { address = '', port = 0 } = path.addresses[0] ?? {};
  const request = bindingRequest(name);
  socket.send(request, port, address);
  const [answer] = (await once(socket, 'message')) as [Buffer];
  assert.ok(isSuccess(answer, request));
  const from = `127.0.0.1:${socket.address().port}`;
  socket.close();
  return from;
}

test('packet path: opens on an ephemeral port, says which, and closes as often as one likes', (t) => {
  const { path } = open(t, { shards: 3, bind: [...loopback, ...loopback] });
  assert.equal(path.addresses.length, 2);
  for (const { address, port } of path.addresses) {
    assert.equal(address, '127.0.0.1');
    assert.ok(port > 0);
  }
  assert.ok(path.bufferBytes.receive > 100_000);
  path.close();
  path.close();
  assert.throws(() => path.drop('SE_x' as SessionId), { code: 'PACKET_PATH_CLOSED' });
});

test('packet path: a session lands, is told by its id, and its end too', async (t) => {
  const { path, event } = open(t);
  path.apply(makeSpec('ann'), firstVersion);
  const from = await land(path, 'ann');
  assert.deepEqual(await event('landed'), { type: 'landed', session: 'SE_ann', remote: from });
  const snapshot = await path.snapshot('SE_ann' as SessionId);
  assert.equal(snapshot?.remote, from);
  assert.equal(snapshot?.state, 'landed');
  path.drop('SE_ann' as SessionId);
  assert.deepEqual(await event('closed'), { type: 'closed', session: 'SE_ann', reason: 'dropped' });
  assert.equal(await path.snapshot('SE_ann' as SessionId), undefined);
});

test('packet path: a check that names no spec is told with its username fragment', async (t) => {
  const { path, event } = open(t);
  const socket = createSocket('udp4');
  socket.send(bindingRequest('nobody'), path.addresses[0]?.port, '127.0.0.1');
  assert.equal((await event('unknown-username-fragment')).usernameFragment, 'fragment-nobody');
  socket.close();
});

test('packet path: ids are forgotten with the last spec that names them', async (t) => {
  const native = new (loadAddon().ThreadedPath)({ bind: loopback, shards: 2, ...identity }, () => {});
  t.after(() => native.close());
  for (let i = 1; i <= 50; i += 1) native.apply(makeSpec(`s${i}`), { epoch: 1, generation: i });
  assert.ok(native.status().names >= 150);
  // A newer spec without tracks; an older one changes nothing.
  native.apply(makeSpec('s50', { incoming: [] }), { epoch: 1, generation: 51 });
  native.apply(makeSpec('s50'), { epoch: 1, generation: 50 });
  for (let i = 1; i <= 49; i += 1) native.drop(`SE_s${i}` as SessionId);
  const settled = async (names: number): Promise<void> => {
    // Each answer comes after the names that were given up before it was asked for.
    for (let i = 0; i < 3; i += 1) await native.snapshot();
    assert.equal(native.status().names, names);
  };
  // The session, its participant, its room, and the track that it subscribes to.
  await settled(4);
  native.drop('SE_s50' as SessionId);
  await settled(0);
});

test('packet path: each reason not to open is one clear error', (t) => {
  const { path } = open(t);
  const taken = path.addresses;
  for (const shards of [1, 2]) {
    assert.throws(() => open(t, { bind: taken, shards }), {
      code: 'PACKET_PATH_ADDRESS_IN_USE',
      message: new RegExp(`^UDP 127.0.0.1:${taken[0]?.port} is in use`),
    });
  }
  path.close();
  assert.throws(() => open(t, { bind: [{ address: '192.0.2.1', port: 0 }] }), {
    code: 'PACKET_PATH_ADDRESS_NOT_AVAILABLE',
    message: /^UDP 192\.0\.2\.1:0 is not an address of this machine/,
  });
  const other = { ...identity, certificatePem: 'none' };
  assert.throws(() => open(t, { identity: other }), { code: 'PACKET_PATH_BAD_CERTIFICATE' });
  assert.throws(() => open(t, { bind: [{ address: 'localhost', port: 0 }] }), {
    code: 'PACKET_PATH_BAD_VALUE',
    message: 'options.bind[0].address must be a numeric IPv4 or IPv6 address',
  });
  assert.throws(() => open(t, { shards: 0 }), { message: 'options.shards must be an integer from 1 to 64' });
  assert.throws(() => open(t, { bind: [] }), { message: 'options.bind must have at least one element' });
});

test('packet path: a bad spec is refused by the name of its field, and changes nothing', (t) => {
  const { path } = open(t);
  const wish: TrackWish = { quality: 'high', maxFps: 0, priority: 0, widthPx: 0, heightPx: 0, mayPause: true };
  const cases: [where: string, value: unknown, message: string][] = [
    ['session', 7, 'spec.session must be a string'],
    ['session', '', 'spec.session must not be empty'],
    ['session', 'x'.repeat(1000), 'spec.session must be at most 192 bytes of UTF-8'],
    ['dtlsRole', 'both', 'spec.dtlsRole must be one of server, client'],
    ['incoming', {}, 'spec.incoming must be an array'],
    ['incoming.0', null, 'spec.incoming[0] must be an object'],
    [
      'incoming.0.codecs.0.payloadType',
      96.5,
      'spec.incoming[0].codecs[0].payloadType must be an integer from 0 to 127',
    ],
    ['outgoing.0.ssrc', 2 ** 32, 'spec.outgoing[0].ssrc must be an integer from 1 to 4294967295'],
    [
      'remoteFingerprints.0.value',
      'AB:C',
      'spec.remoteFingerprints[0].value must be hexadecimal bytes with colons between',
    ],
    ['localCredentials', Array(5).fill(null), 'spec.localCredentials must have at most 4 elements'],
    ['data.hidden', 'no', 'spec.data.hidden must be true or false'],
    ['outgoing.0.wish', { ...wish, quality: 'best' }, 'spec.outgoing[0].wish.quality must be one of low, medium, high'],
    ['outgoing.0.wish', { ...wish, maxFps: 1000 }, 'spec.outgoing[0].wish.maxFps must be an integer from 0 to 240'],
  ];
  for (const [where, value, message] of cases) {
    const broken = changed(where, value);
    assert.throws(() => path.apply(broken, firstVersion), { code: 'PACKET_PATH_BAD_VALUE', message }, where);
  }
  const throwing = Object.defineProperty({ ...makeSpec('ann') }, 'room', {
    get: () => {
      throw new Error('no');
    },
  });
  assert.throws(() => path.apply(throwing, firstVersion), { message: 'spec has a field that cannot be read: room' });
  assert.throws(() => path.apply(makeSpec('ann'), { epoch: 1, generation: -1 }), {
    message: /^version\.generation must be an integer/,
  });
});

test('packet path: no JavaScript value brings the addon down', (t) => {
  const { ThreadedPath, ManualPath } = loadAddon();
  const native = new ThreadedPath({ bind: loopback, shards: 1, ...identity }, () => {});
  t.after(() => native.close());
  const valid = makeSpec('ann') as unknown as Record<string, unknown>;
  const anything = fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withSparseArray: true });
  const clear = (call: () => unknown): void => {
    try {
      call();
    } catch (thrown) {
      assert.equal((thrown as { code?: unknown }).code, 'PACKET_PATH_BAD_VALUE');
    }
  };
  fc.assert(
    fc.property(anything, fc.constantFrom(...Object.keys(valid)), (value, field) => {
      clear(() => native.apply(value as never, value as never));
      clear(() => native.apply({ ...valid, [field]: value } as never, firstVersion));
      clear(() => native.drop(value as never));
      clear(() => void native.snapshot(value as never).catch(() => {}));
      clear(() => new ThreadedPath(value as never, value as never));
      clear(() => new ManualPath(value as never));
    }),
    { numRuns: 500 },
  );
  for (const method of ['apply', 'drop', 'drain', 'snapshot', 'close', 'status'] as const) {
    const unbound = native[method] as unknown as (this: unknown) => unknown;
    for (const self of [{}, undefined, [], () => {}]) assert.throws(() => unbound.call(self));
  }
});

test('packet path: closed while it reads its arguments, it is closed', () => {
  const native = new (loadAddon().ThreadedPath)({ bind: loopback, shards: 1, ...identity }, () => {});
  const spec = Object.defineProperty({ ...makeSpec('ann') }, 'dtlsRole', {
    get: () => {
      native.close();
      return 'server';
    },
  });
  assert.throws(() => native.apply(spec, firstVersion), { code: 'PACKET_PATH_CLOSED' });
});

test('packet path: snapshots that are waited for when it closes are refused', async (t) => {
  const { path } = open(t);
  const answers = Promise.allSettled([path.snapshot(), path.snapshot()]);
  path.close();
  for (const answer of await answers) {
    assert.equal(answer.status, 'rejected');
    assert.equal((answer as PromiseRejectedResult).reason.code, 'PACKET_PATH_CLOSED');
  }
});

test('packet path: a listener that throws keeps no event from the others', async (t) => {
  const told: string[] = [];
  const thrown = new Promise<Error>((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  const { path } = open(t, {
    onEvent: (event) => {
      told.push(event.type);
      if (event.type === 'landed') throw new Error('of the listener');
    },
  });
  path.apply(makeSpec('ann'), firstVersion);
  // Once a snapshot has come, its shards know the session: no check of it can come before.
  await path.snapshot();
  await land(path, 'ann');
  assert.equal((await thrown).message, 'of the listener');
  path.drop('SE_ann' as SessionId);
  await path.snapshot();
  path.close();
  assert.deepEqual(told, ['landed', 'closed']);
});

test('packet path: it works in several workers at once, and ends with them in the middle of everything', async (t) => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { PacketPath } = await import(workerData.module);
      const path = PacketPath.open({ ...workerData.options, onEvent: () => {} });
      await path.snapshot();
      parentPort.postMessage(path.addresses[0].port);
      for (;;) await path.snapshot();
    })();`;
  const workerData = {
    module: new URL('./packet-path.ts', import.meta.url).href,
    options: { bind: loopback, shards: 2, identity, tuning: {} },
  };
  const workers = Array.from({ length: 3 }, () => new Worker(code, { eval: true, workerData }));
  const ports = await Promise.all(workers.map((worker) => once(worker, 'message')));
  assert.equal(new Set(ports.flat()).size, 3);
  await Promise.all(workers.map((worker) => worker.terminate()));
  // Their sockets are closed: the port can be had again.
  open(t, { bind: [{ address: '127.0.0.1', port: ports[0]?.[0] }] });
});

test('packet path: a process that exits without closing it exits cleanly', () => {
  const code = `
    import { PacketPath, generateIdentity } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const identity = generateIdentity(1700000000, 30000);
    const bind = [{ address: '127.0.0.1', port: 0 }];
    const path = PacketPath.open({ bind, shards: 2, identity, tuning: {}, onEvent: () => {} });
    await path.snapshot();
    console.log('open');
    process.exit(0);`;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd, encoding: 'utf8' });
  assert.equal(output, 'open\n');
});
