import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { RoomClient } from '@sluice/load-tester';
import { LightClients } from '../src/light-client.ts';
import { type Footprint, SluiceProcess } from '../src/sluice-process.ts';
import { observeFor, until } from '../src/wait.ts';

const SESSIONS = 200;
const ROUNDS = 20;
const ROOM_SIZE = 4;
/** Joins under way at once: as many as come while one is let in, at a hundred a second. */
const AT_ONCE = 25;
const UP_DEADLINE_MS = 20_000;
/** A crashed client is missed when its consent has run out (RFC 7675), and forgotten a grace time later. */
const GONE_DEADLINE_MS = 60_000;
/** Removed documents are remembered for a while, so that a stale owner cannot bring them back. */
const FORGOTTEN_DEADLINE_MS = 120_000;
/** Rounds until every pool, cache and heap has the size that it keeps. */
const WARM_UP_ROUNDS = 4;
const MOST_GROWTH_KIB = 32_768;

const gauges = [
  'sluice_signaling_sessions',
  'sluice_signaling_rooms',
  'sluice_signaling_sockets',
  'sluice_signaling_intents',
  'sluice_signaling_specs',
  'sluice_media_specs',
  'sluice_media_sessions',
  'sluice_media_incoming_tracks',
  'sluice_media_outgoing_tracks',
  'sluice_controller_participants',
] as const;
const remembered = 'sluice_controller_intents';

let sluice: SluiceProcess;

before(async () => {
  sluice = await SluiceProcess.start({
    // Rooms end soon after everybody left, so that what a room costs returns too.
    yaml: 'controller: { rooms: { departureTimeoutS: 1 } }\n',
    nodeFlags: ['--expose-gc'],
  });
});
after(() => sluice?.stop());

interface Held extends Footprint {
  readonly timers: number;
  readonly heapKiB: number;
  readonly gauges: Readonly<Record<string, number>>;
}

async function held(): Promise<Held> {
  const text = await sluice.metrics();
  const read = (name: string, label = ''): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${name}${label === '' ? ' ' : '{'}`) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  return {
    ...sluice.footprint(),
    timers: read('sluice_process_resources', 'type="Timeout"'),
    heapKiB: Math.round(read('sluice_process_memory_bytes', 'kind="heapUsed"') / 1024),
    gauges: Object.fromEntries([...gauges, remembered].map((name) => [name, read(name)])),
  };
}

const isEmpty = ({ gauges: values }: Held): boolean => gauges.every((name) => values[name] === 0);
const isForgotten = (one: Held): boolean => isEmpty(one) && one.gauges[remembered] === 0;

/** Everybody joins, publishes and receives; then half leave and half crash. */
async function round(clients: LightClients, number: number): Promise<number> {
  const everyone: RoomClient[] = [];
  const startedMs = performance.now();
  for (let first = 0; first < SESSIONS; first += AT_ONCE) {
    const batch: RoomClient[] = [];
    for (let i = first; i < Math.min(SESSIONS, first + AT_ONCE); i += 1) {
      const token = await sluice.token({
        room: `churn-${number}-${Math.floor(i / ROOM_SIZE)}`,
        identity: `client-${i}`,
      });
      const client = await clients.client(token, i % 2 === 0 ? 'single' : 'dual');
      client.publish('microphone', { kind: 'audio' });
      if (i % ROOM_SIZE === 0) {
        client.publish('camera', {
          kind: 'video',
          widthPx: 320,
          heightPx: 180,
          framesPerSecond: 10,
          bitrateBps: 100_000,
        });
      }
      client.connect();
      batch.push(client);
    }
    everyone.push(...batch);
    await until(
      `clients ${first} to ${first + AT_ONCE} of round ${number} are in`,
      UP_DEADLINE_MS,
      () => batch.every(({ state, times }) => state === 'live' && times.connectedUs !== undefined),
      () => batch.map(({ state, times, endedBecause }) => [state, times, endedBecause]),
    );
  }
  const joinedMs = performance.now() - startedMs;
  await until(
    `everybody in round ${number} receives everybody else`,
    UP_DEADLINE_MS,
    () => everyone.every((client) => heardTracks(client) >= ROOM_SIZE - 1),
    () => everyone.filter((client) => heardTracks(client) < ROOM_SIZE - 1).map((client) => client.report().received),
  );
  for (const [i, client] of everyone.entries()) {
    if (i % 2 === 0) client.leave();
    else client.crash();
  }
  return joinedMs;
}

const heardTracks = (client: RoomClient): number =>
  client.report().received.filter(({ stream }) => (stream?.packets ?? 0) > 0).length;

test(`${SESSIONS} sessions come and go ${ROUNDS} times, half of them without a word: nothing stays`, {
  timeout: 420_000,
}, async () => {
  const clients = new LightClients(sluice.webSocketUrl);
  const untilIt = async (is: (one: Held) => boolean, deadlineMs: number): Promise<Held> => {
    let seen = await held();
    await until(
      'all of them are gone',
      deadlineMs,
      async () => {
        seen = await held();
        return is(seen);
      },
      () => seen.gauges,
    );
    // A collection of garbage before the look.
    await observeFor(500);
    return await held();
  };
  const start = await held();
  print('at the start', start);
  let settled = start;
  for (let number = 1; number <= ROUNDS; number += 1) {
    const joinedMs = await round(clients, number);
    if (number === 1 || number % 5 === 0)
      console.log(`  round ${number}: ${SESSIONS} in after ${Math.round(joinedMs)} ms`);
    if (number === WARM_UP_ROUNDS) {
      settled = await untilIt(isEmpty, GONE_DEADLINE_MS);
      print(`after ${number} rounds`, settled);
    }
  }
  const end = await untilIt(isForgotten, FORGOTTEN_DEADLINE_MS);
  print(`after ${ROUNDS} rounds`, end);
  assert.deepEqual(clients.problems, []);
  assert.ok(end.residentKiB - settled.residentKiB < MOST_GROWTH_KIB, 'memory grew');
  assert.equal(end.sockets, settled.sockets, 'sockets');
  assert.equal(end.descriptors, settled.descriptors, 'descriptors');
  assert.equal(end.threads, settled.threads, 'threads');
  assert.ok(end.timers <= settled.timers + 1, 'timers');
});

function print(
  when: string,
  { residentKiB, heapKiB, descriptors, sockets, threads, timers, gauges: values }: Held,
): void {
  const tables = Object.values(values).join('/');
  console.log(
    `  ${when}: resident ${residentKiB} KiB, heap ${heapKiB} KiB, ${descriptors} descriptors, ${sockets} sockets, ${threads} threads, ${timers} timers, tables ${tables}`,
  );
}
