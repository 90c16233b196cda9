import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Lease } from '../bus.ts';
import { document, TestBus } from './test-bus.ts';
import { freePort, NatsTestServer, natsMissing, until } from './test-server.ts';

const skip = natsMissing;
const LEASE_US = 3_000_000;

let servers: NatsTestServer[] = [];
let first: TestBus;
let third: TestBus;
let lease: Lease | undefined;
/** The newest that the third heard. */
let heard = 0;

before(async () => {
  if (skip !== false) return;
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = [await freePort(), await freePort(), await freePort()];
  const settings = (i: number): string => `server_name: n${i}
cluster { name: c, listen: "127.0.0.1:${routes[i]}", routes: [${routes.map((port) => `"nats://127.0.0.1:${port}"`).join(', ')}] }`;
  servers = await Promise.all(ports.map((port, i) => NatsTestServer.start(settings(i), port)));
  const urls = servers.map(({ url }) => url);
  // One is told of one server alone: the others it learns from that one.
  first = TestBus.to(urls[0] ?? '', { leaseReplicas: 3 });
  third = TestBus.to(urls[2] ?? '', { leaseReplicas: 3 });
  third.read('thing', 'room', ({ generation }) => {
    heard = Math.max(heard, generation);
  });
});
after(async () => {
  await first?.close();
  await third?.close();
  for (const server of servers) await server[Symbol.asyncDispose]();
});

const passes = (generation: number) => (): boolean => {
  first.say(document({ generation }));
  return heard === generation;
};

test('NATS, three servers: what is said at one is heard at another, and leases have a home', { skip }, async () => {
  await until('what is said at the first is heard at the third', passes(1));
  await until('the leases have a home', async () => {
    lease = await first.acquire('rooms', LEASE_US, () => undefined);
    return lease !== undefined;
  });
  assert.equal(await third.acquire('rooms', LEASE_US, () => undefined), undefined);
});

test('NATS, three servers: one may die; its clients and the leases go on at the others', { skip }, async () => {
  await servers[0]?.stop();
  await until('what is said is heard', passes(2));
  // Perhaps in vain: the servers may be choosing who leads them.
  await lease?.release();
  await until('the lease can be had', async () => {
    return (await third.acquire('rooms', LEASE_US, () => undefined)) !== undefined;
  });
});
