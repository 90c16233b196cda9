import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { systemClock } from '@sluice/runtime';
import { RecordingLogger } from '@sluice/runtime/internal';
import { anyScope } from '../bus.ts';
import { DocumentReader } from '../document-reader.ts';
import { DocumentWriter } from '../document-writer.ts';
import { document, TestBus } from './test-bus.ts';
import { freePort, NatsTestServer, natsMissing, pause, until } from './test-server.ts';

const skip = natsMissing;
const folder = mkdtempSync(`${tmpdir()}/sluice-tests-nats-keys-`);
after(() => rmSync(folder, { recursive: true }));

const anything = {
  name: 'thing',
  schema: { safeParse: (body: unknown) => ({ success: true as const, data: body }) },
};

test('NATS: documents and leases outlive a server that is stopped, wiped and started again', { skip }, async (t) => {
  await using server = await NatsTestServer.start();
  await using a = TestBus.to(server.url);
  await using b = TestBus.to(server.url);
  const writer = new DocumentWriter({ bus: a, clock: systemClock, kind: anything, writer: 'WR_1' });
  const known = new Map<string, unknown>();
  const reader = new DocumentReader({
    bus: b,
    clock: systemClock,
    kind: anything,
    scope: anyScope,
    changed: (body, { key }) => void known.set(key, body),
  });
  t.after(() => {
    reader.close();
    writer.close();
  });
  writer.set('room', 'before', 1);
  await until('the reader knows', () => known.get('before') === 1);
  let lost = 0;
  const lease = await a.acquire('rooms', 20_000_000, () => lost++);
  assert.ok(lease !== undefined);

  const awayBefore = a.counters().drops['away'] ?? 0;
  await server.stop();
  await until('both notice', () => !a.connected() && !b.connected());
  server.wipe();
  writer.set('room', 'before', 2);
  writer.set('room', 'meanwhile', 3);
  await pause(5_000_000);
  await server.start();
  const startedUs = systemClock.nowUs();
  await until(
    'the reader knows what was said meanwhile',
    () => known.get('meanwhile') === 3 && known.get('before') === 2,
  );
  console.log(
    `documents are said again ${Math.round((systemClock.nowUs() - startedUs) / 1_000)} ms after NATS is back`,
  );
  assert.equal(await b.acquire('rooms', 20_000_000, () => undefined), undefined, 'its holder has it back');
  assert.equal(lost, 0);
  assert.ok((a.counters().drops['away'] ?? 0) >= awayBefore + 2, 'nothing waited');
});

test('NATS: a server that comes later than the process is found', { skip }, async () => {
  const port = await freePort();
  const logger = new RecordingLogger();
  await using bus = TestBus.to(`nats://127.0.0.1:${port}`, {}, logger);
  let returns = 0;
  bus.onReturn(() => returns++);
  await until('it says that nobody is there', () => logger.lines.some(({ event }) => event === 'bus.away'));
  assert.match(bus.problem() ?? '', /connection refused/);
  await using _server = await NatsTestServer.start('', port);
  await until('it is connected', () => bus.connected());
  assert.deepEqual([returns, bus.problem()], [1, undefined]);
});

test('NATS: wrong and missing credentials are named, right ones work', { skip }, async () => {
  await using server = await NatsTestServer.start('authorization { user: sluice, password: "a secret" }');
  for (const [settings, problem] of [
    [{}, /wants credentials, and none are configured/],
    [{ user: 'sluice', password: 'another' }, /refuses the configured credentials/],
    [{ token: 'a secret' }, /refuses the configured credentials/],
  ] as const) {
    const logger = new RecordingLogger();
    await using bus = TestBus.to(server.url, settings, logger);
    await until('it is refused', () => problem.test(bus.problem() ?? ''));
    assert.ok(!JSON.stringify(logger.lines).includes('a secret'));
  }
  await using bus = TestBus.to(server.url, { user: 'sluice', password: 'a secret' });
  await until('it is let in', () => bus.connected());
});

test('NATS: tokens and nkeys', { skip }, async () => {
  await using byToken = await NatsTestServer.start('authorization { token: "a token" }');
  await using one = TestBus.to(byToken.url, { token: 'a token' });
  await until('a token lets in', () => one.connected());
  const { createUser } = await import('@nats-io/transport-node').then(({ nkeys }) => nkeys);
  const user = createUser();
  writeFileSync(`${folder}/user.nk`, `${Buffer.from(user.getSeed()).toString()}\n`, { mode: 0o600 });
  await using byKey = await NatsTestServer.start(`authorization { users: [{ nkey: ${user.getPublicKey()} }] }`);
  await using other = TestBus.to(byKey.url, { nkeyFile: `${folder}/user.nk` });
  await until('a key lets in', () => other.connected());
});

test('NATS: TLS with a certificate authority of our own, and for clients too', { skip }, async () => {
  const ca = `${folder}/ca.pem`;
  openssl(['req', '-x509', ...freshKey('ca'), '-out', ca, '-days', '2', '-subj', '/CN=Test CA']);
  for (const name of ['server', 'client']) {
    openssl(['req', ...freshKey(name), '-out', `${folder}/${name}.csr`, '-subj', `/CN=${name}`]);
    writeFileSync(`${folder}/names`, 'subjectAltName=DNS:localhost\n');
    const signed = ['-CA', ca, '-CAkey', `${folder}/ca.key`, '-CAcreateserial', '-days', '2'];
    const files = ['-in', `${folder}/${name}.csr`, '-out', `${folder}/${name}.pem`, '-extfile', `${folder}/names`];
    openssl(['x509', '-req', ...files, ...signed]);
  }
  const files = `cert_file: "${folder}/server.pem", key_file: "${folder}/server.key", ca_file: "${ca}"`;
  await using server = await NatsTestServer.start(`tls { ${files}, verify: true }`);
  const own = { certificate: `${folder}/client.pem`, key: `${folder}/client.key`, handshakeFirst: false };
  await using good = TestBus.to(`tls://localhost:${server.port}`, { tls: { ca, ...own } });
  await until('it is let in', () => good.connected());
  await using unknown = TestBus.to(`tls://localhost:${server.port}`, { tls: own });
  await until('an unknown authority is refused', () => /certificate/.test(unknown.problem() ?? ''));

  await using plain = await NatsTestServer.start();
  await using strict = TestBus.to(plain.url.replace('nats:', 'tls:'));
  await until('nothing is said in the clear', () => /does not support 'tls'/.test(strict.problem() ?? ''));
});

const freshKey = (name: string): string[] => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
  ...['-keyout', `${folder}/${name}.key`],
];
const openssl = (args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'ignore' });

test('NATS: without JetStream documents pass, and the lack of leases is named', { skip }, async () => {
  await using server = await NatsTestServer.start('jetstream: false');
  const logger = new RecordingLogger();
  await using bus = TestBus.to(server.url, {}, logger);
  await until('it is connected', () => bus.connected());
  assert.equal(await bus.acquire('rooms', 1_000_000, () => undefined), undefined);
  assert.match(bus.problem() ?? '', /jetstream is not enabled/);
  assert.ok(logger.lines.some(({ event }) => event === 'bus.no-leases'));
});

test('NATS: what is larger than the server takes is dropped, counted and said', { skip }, async () => {
  await using server = await NatsTestServer.start('max_payload: 4096');
  const logger = new RecordingLogger();
  await using bus = TestBus.to(server.url, {}, logger);
  await until('it is connected', () => bus.connected());
  let heard = 0;
  bus.read('thing', 'room', () => heard++);
  bus.say(document({ body: 'x'.repeat(5_000) }));
  bus.say(document());
  await until('the small one arrives', () => heard === 1);
  assert.equal(bus.counters().drops['too-large'], 1);
  assert.ok(logger.lines.some(({ event }) => event === 'bus.document-too-large'));
});

test('NATS: what is no document is dropped and counted', { skip }, async () => {
  await using server = await NatsTestServer.start();
  await using bus = TestBus.to(server.url);
  await until('it is connected', () => bus.connected());
  let heard = 0;
  bus.read('thing', anyScope, () => heard++);
  const { connect } = await import('@nats-io/transport-node');
  const stranger = await connect({ servers: server.url });
  await bus.flush();
  const good = JSON.stringify(document());
  for (const payload of [
    '',
    'x',
    'null',
    '[]',
    '{}',
    '\u00ff',
    good.replace('"generation":1', '"generation":-1'),
    good,
  ]) {
    stranger.publish('sluice.doc.thing.room', payload);
  }
  stranger.publish('sluice.doc.thing.room', Uint8Array.of(0xff, 0xfe));
  await stranger.drain();
  await until('the good one arrives', () => heard === 1);
  await until('the others are counted', () => bus.counters().drops['malformed'] === 8);
});
