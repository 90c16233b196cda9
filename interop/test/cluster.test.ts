import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { NatsTestServer, natsMissing } from '@sluice/bus/internal';
import type { RoomClient } from '@sluice/load-tester';
import { Cluster, type Member } from '../src/cluster.ts';
import { LightClients } from '../src/light-client.ts';
import { TcpProxy } from '../src/tcp-proxy.ts';
import { observeFor, until } from '../src/wait.ts';

const skip = natsMissing;
const ROOM = 'Räume: a.*>';
/** Far more than anything takes; what it did take is printed. */
const WITHIN_MS = 60_000;
const OUTAGE_MS = 10_000;
/** The least that flows in the outage is counted over so long, once what waits at the clients has had its time. */
const FLOWS_MS = 2_000;

let nats: NatsTestServer;
let cluster: Cluster;
let controllers: Member[] = [];
let signaling: { readonly member: Member; readonly port: number }[] = [];
/** What a load balancer would be: one way in for each half of the clients. */
const ways: TcpProxy[] = [];
const doors: LightClients[] = [];
const everyone: RoomClient[] = [];
/** By which door, by identity. */
const entered = new Map<string, number>();
let identities = 0;

before(async () => {
  if (skip !== false) return;
  nats = await NatsTestServer.start();
  // What dead servers left behind must not keep the end of the test waiting.
  const configuration = `${nats.folder}/sluice.yaml`;
  writeFileSync(configuration, 'shutdown: { drainS: 1 }\n');
  cluster = new Cluster(nats.url, configuration);
  signaling = [await cluster.signaling(), await cluster.signaling()];
  const media = await cluster.media();
  controllers = [await cluster.controller()];
  await controllers[0]?.ready();
  await Promise.all([media, ...signaling.map(({ member }) => member)].map((member) => member.ready()));
  for (const { port } of signaling) ways.push(await TcpProxy.to(port));
  doors.push(...ways.map(({ port }) => new LightClients(`ws://127.0.0.1:${port}`)));
});
after(async () => {
  for (const client of everyone) client.leave();
  await cluster?.[Symbol.asyncDispose]();
  for (const way of ways) await way[Symbol.asyncDispose]();
  await nats?.[Symbol.asyncDispose]();
});

/** Someone with a microphone and a camera, at one of the signaling servers. */
async function enter(door: number, mode: 'single' | 'dual' = 'dual'): Promise<RoomClient> {
  const clients = doors[door];
  assert.ok(clients !== undefined);
  const identity = `client-${++identities}`;
  const client = await clients.client(await cluster.token(ROOM, identity), mode);
  entered.set(identity, door);
  client.publish('microphone', { kind: 'audio' });
  const size = { widthPx: 320, heightPx: 180, framesPerSecond: 10, bitrateBps: 100_000 };
  client.publish('camera', { kind: 'video', ...size });
  everyone.push(client);
  client.connect();
  return client;
}

/** Packets of every track that a client receives. */
const packets = (client: RoomClient): number[] => client.report().received.map(({ stream }) => stream?.packets ?? 0);

async function untilAllReceiveAll(what: string): Promise<void> {
  const tracks = (everyone.length - 1) * 2;
  const hears = (client: RoomClient): number => packets(client).filter((count) => count > 0).length;
  await until(
    what,
    WITHIN_MS,
    () => everyone.every((client) => hears(client) === tracks),
    () => everyone.map((client) => [client.state, hears(client), client.endedBecause, client.lastTrouble]),
  );
}

/** Every track of everyone goes on flowing. */
async function assertFlows(): Promise<void> {
  const earlier = everyone.map(packets);
  await observeFor(FLOWS_MS);
  for (const [i, client] of everyone.entries()) {
    for (const [track, count] of packets(client).entries()) {
      assert.ok(count > (earlier[i]?.[track] ?? 0), `client ${i} does not receive its track ${track} any more`);
    }
  }
}

/** Nobody had to come back. */
function assertUndisturbed(clients: readonly RoomClient[]): void {
  for (const client of clients) assert.deepEqual([client.state, client.resumes, client.rejoins], ['live', 0, 0]);
}

test('one room on two signaling servers: everyone receives everyone', { skip }, async () => {
  for (let i = 0; i < 6; i++) await enter(i % 2, i < 3 ? 'single' : 'dual');
  await untilAllReceiveAll('six clients receive ten tracks each');
  const joined = everyone.map(({ times }) => ((times.joinedUs ?? 0) - times.dialedUs) / 1_000);
  const connected = everyone.map(({ times }) => ((times.connectedUs ?? 0) - times.dialedUs) / 1_000);
  console.log(`  joined after ${inMs(joined)} ms, connected after ${inMs(connected)} ms`);
  assertUndisturbed(everyone);
});

const inMs = (times: readonly number[]): string => times.map((ms) => Math.round(ms)).join(', ');

test('NATS stopped for 10 s and wiped in the middle of a call: the call goes on, later joins work', {
  skip,
}, async () => {
  const before = [...everyone];
  await nats.stop();
  nats.wipe();
  await until('readiness says so', WITHIN_MS, async () => {
    const answer = await controllers[0]?.readiness();
    return answer !== undefined && !answer.ready && answer.text.startsWith('bus: ');
  });
  await observeFor(OUTAGE_MS - FLOWS_MS);
  await assertFlows();
  assertUndisturbed(before);
  await nats.start();
  const backMs = performance.now();
  await enter(0);
  await enter(1);
  await untilAllReceiveAll('those who came later are in the call');
  console.log(`  ${Math.round(performance.now() - backMs)} ms after NATS was back, two more were in the call`);
  assertUndisturbed(before);
});

test('the controller dies and another takes over: the call goes on, later joins work', { skip }, async () => {
  const before = [...everyone];
  const standby = await cluster.controller();
  await standby.ready();
  await controllers[0]?.kill();
  const diedMs = performance.now();
  // As SDKs do, one that is told to wait tries again.
  const late = await until(
    'someone comes in',
    WITHIN_MS,
    async () => {
      const client = await enter(1);
      await until('let in or not', WITHIN_MS, () => client.state === 'live' || client.state === 'ended');
      if (client.state === 'live') return client;
      everyone.pop();
      return undefined;
    },
    () => standby.output,
  );
  console.log(`  ${Math.round(performance.now() - diedMs)} ms after the controller died, the next was let in`);
  await untilAllReceiveAll('the one who came later is in the call');
  await assertFlows();
  assertUndisturbed([...before, late]);
});

test('a signaling server dies: its clients come back at another, the others notice nothing', { skip }, async () => {
  const [dead, alive] = signaling;
  assert.ok(dead !== undefined && alive !== undefined);
  // Those who entered by the first door.
  const theirs = new Set(everyone.filter(({ me }) => entered.get(me.identity) === 0));
  const others = everyone.filter((client) => !theirs.has(client));
  assert.ok(theirs.size >= 3 && others.length >= 3);
  await dead.member.kill();
  ways[0]?.leadTo(alive.port);
  const diedMs = performance.now();
  await until(
    'they are back',
    WITHIN_MS,
    () =>
      [...theirs].every(
        ({ state, rejoins, times }) => state === 'live' && rejoins > 0 && times.connectedUs !== undefined,
      ),
    () => [...theirs].map(({ state, rejoins, lastTrouble }) => [state, rejoins, lastTrouble]),
  );
  console.log(
    `  ${Math.round(performance.now() - diedMs)} ms after it died, its ${theirs.size} clients had new connections`,
  );
  await untilAllReceiveAll('everyone receives everyone again');
  await assertFlows();
  assertUndisturbed(others);
});

test('a signaling server that ends in order sends its clients to another', { skip }, async () => {
  const [, ends] = signaling;
  assert.ok(ends !== undefined);
  const next = await cluster.signaling();
  await next.member.ready();
  for (const way of ways) way.leadTo(next.port);
  const before = new Map(everyone.map((client) => [client, client.rejoins]));
  assert.equal(await ends.member.stop(), 0, ends.member.output);
  await until(
    'everyone is back',
    WITHIN_MS,
    () => everyone.every((one) => one.state === 'live' && one.rejoins > (before.get(one) ?? 0)),
    () => everyone.map(({ state, rejoins, lastTrouble }) => [state, rejoins, lastTrouble]),
  );
  await untilAllReceiveAll('everyone receives everyone again');
  for (const door of doors) assert.deepEqual(door.problems, []);
});
