import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { ReceivedStreamReport } from '@sluice/packet-path';
import type { CrowdTally } from './crowd.ts';
import { quantiles, spanOf } from './measure.ts';
import { expectedStreams, type LoadPlan, membersOf, networkOf, successorOf } from './plan.ts';
import { bitrate, chosen, count, milliseconds, number, perMinute, share, size } from './quantities.ts';
import { loadReport } from './report.ts';
import { growth, sampleOf } from './server-watch.ts';
import { table } from './table.ts';
import { missed } from './thresholds.ts';
import { accessToken } from './token.ts';

const plan: LoadPlan = {
  url: 'ws://127.0.0.1:7880',
  apiKey: 'devkey',
  apiSecret: 'secret',
  rooms: 2,
  publishers: 2,
  subscribers: 3,
  publishersReceive: true,
  seconds: 10,
  joinsPerSecond: 10,
  mode: 'single',
  publishes: { camera: { kind: 'video' }, microphone: { kind: 'audio' } },
  network: { loss: 0.1 },
  impaired: 'all',
  threads: 1,
};

test('quantities: what people write is read, whatever the case', () => {
  assert.equal(bitrate('--video', '1.5Mbps'), 1_500_000);
  assert.equal(bitrate('--video', '300 KBPS'), 300_000);
  assert.equal(milliseconds('--delay', '80ms'), 80);
  assert.equal(milliseconds('--delay', '1.5s'), 1_500);
  assert.equal(share('--loss', '5%'), 0.05);
  assert.equal(share('--loss', '0.05'), 0.05);
  assert.equal(perMinute('--churn', '20/min'), 20);
  assert.equal(perMinute('--churn', '2/s'), 120);
  assert.deepEqual(size('--size', '1280x720'), { widthPx: 1280, heightPx: 720 });
  assert.equal(count('--rooms', '20', 1), 20);
  assert.equal(number('--max-freezes', '0.5'), 0.5);
  assert.equal(chosen(['low', 'high'])('--watch', 'high'), 'high');
});

test('quantities: nonsense is named, with what is allowed', () => {
  const wrong: readonly [(what: string, text: string) => unknown, readonly string[], RegExp][] = [
    [bitrate, ['', '5', 'fast', '-1Mbps', '1.5', 'Mbps', '0bps', '99Gbps'], /a bitrate with its unit/],
    [milliseconds, ['5', '-1ms', '2m', '1h'], /a time with its unit, up to 1m/],
    [share, ['101%', '1.5', '-1', 'all'], /from 0 to 100%/],
    [perMinute, ['20', '0/min', '5/year'], /a rate above 0/],
    [size, ['big', '1280', '0x0', '12800x720'], /width and height/],
    [(what, text) => count(what, text, 1, 64), ['0', '65', '1.5', '1e1', ''], /a whole number from 1 to 64/],
    [number, ['', '-1', 'NaN', '1e3'], /a number from 0 up/],
    [chosen(['low', 'high']), ['', 'High', 'best'], /one of low, high/],
  ];
  for (const [read, texts, allowed] of wrong) {
    for (const text of texts) {
      const told = new RegExp(`^--it is "${text}"; it must be .*${allowed.source}`);
      assert.throws(() => read('--it', text), { code: 'LOAD_BAD_QUANTITY', message: told }, text);
    }
  }
});

test('quantiles: exact, of nothing too', () => {
  const all = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.deepEqual(quantiles(all), { count: 100, p50: 50, p95: 95, p99: 99, max: 100 });
  assert.deepEqual(quantiles([7]), { count: 1, p50: 7, p95: 7, p99: 7, max: 7 });
  assert.deepEqual(quantiles([]), { count: 0, p50: 0, p95: 0, p99: 0, max: 0 });
});

test('plan: everybody is once in a room of this run, and is to receive what the others there send', () => {
  const members = membersOf(plan, 'run');
  assert.equal(members.length, 10);
  assert.equal(new Set(members.map(({ roomName, identity }) => `${roomName}/${identity}`)).size, 10);
  assert.deepEqual([...new Set(members.map(({ roomName }) => roomName))], ['load-run-1', 'load-run-2']);
  const expected = members.map((member) => expectedStreams(plan, member));
  assert.deepEqual(expected, [2, 2, 4, 4, 4, 2, 2, 4, 4, 4]);
  const [publisher] = membersOf({ ...plan, publishersReceive: false }, 'run');
  assert.equal(publisher === undefined ? -1 : expectedStreams(plan, publisher), 0);
});

test('plan: who comes for someone else does the same under a name that was not there before', () => {
  const [member] = membersOf({ ...plan, watch: 'mixed' }, 'run');
  assert.ok(member);
  const second = successorOf(member);
  assert.deepEqual(
    [member, second, successorOf(second)].map(({ identity }) => identity),
    ['publisher-1', 'publisher-1#2', 'publisher-1#3'],
  );
  assert.deepEqual({ ...second, identity: '' }, { ...member, identity: '' });
});

test('plan: the bad network stands before those who are meant', () => {
  const members = membersOf({ ...plan, rooms: 1 }, 'run');
  const bad = (impaired: LoadPlan['impaired']): boolean[] =>
    members.map((member) => networkOf({ ...plan, impaired }, member).loss === 0.1);
  assert.deepEqual(bad('all'), [true, true, true, true, true]);
  assert.deepEqual(bad('publishers'), [true, true, false, false, false]);
  assert.deepEqual(bad('subscribers'), [false, false, true, true, true]);
});

test('plan: mixed, each subscriber watches a different quality', () => {
  const watched = membersOf({ ...plan, watch: 'mixed' }, 'run').slice(2, 5);
  assert.deepEqual(
    watched.map(({ watch }) => watch),
    ['low', 'medium', 'high'],
  );
});

test('token: signed as JWT says, for one room and one identity', () => {
  const token = accessToken(plan, { roomName: 'r', identity: 'i' }, 1_000_000);
  const [header, claims, signature] = token.split('.');
  assert.equal(createHmac('sha256', 'secret').update(`${header}.${claims}`).digest('base64url'), signature);
  const read = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString());
  assert.deepEqual(
    [read.iss, read.sub, read.nbf, read.video.room, read.video.roomJoin],
    ['devkey', 'i', 1000, 'r', true],
  );
});

const stream = (over: Partial<ReceivedStreamReport>): ReceivedStreamReport => ({
  ssrc: 1,
  kind: 'video',
  packets: 0,
  bytes: 0,
  lost: 0,
  recovered: 0,
  nacks: 0,
  keyFramesAsked: 0,
  jitterMs: 0,
  source: 1,
  delay: { count: 1, p50Ms: 10, p95Ms: 15, p99Ms: 20, maxMs: 30 },
  ...over,
});

const frames = { dropped: 0, keyFrames: 1, longestGapMs: 0, brokenReferences: 0, encoding: 0, encodingSwitches: 0 };
const videoBefore = stream({
  packets: 100,
  bytes: 100_000,
  lost: 50,
  frames: { ...frames, decoded: 30, sent: 60, freezes: 3, frozenMs: 900 },
});
const videoAfter = stream({
  packets: 1100,
  bytes: 1_350_000,
  lost: 150,
  recovered: 90,
  frames: { ...frames, decoded: 327, sent: 360, freezes: 4, frozenMs: 1_400, encoding: 1, encodingSwitches: 2 },
});
const audioAfter = stream({
  ssrc: 2,
  kind: 'audio',
  packets: 500,
  bytes: 50_000,
  audio: { played: 490, concealed: 10, late: 0, redundant: 0, bufferMs: 40 },
});
const tenSeconds = { fromUs: 1_000_000, toUs: 11_000_000 };

const tally: CrowdTally = {
  clients: {
    wanted: 1,
    connected: 1,
    dropped: 0,
    resumes: 0,
    rejoins: 0,
    departures: { leave: 0, crash: 0, vanish: 0 },
  },
  streams: { expected: 2, flowing: 2 },
  entries: [{ joinMs: 50, connectMs: 100, firstFrameMs: 300 }],
  spans: [spanOf(videoBefore, videoAfter, tenSeconds), spanOf(undefined, audioAfter, tenSeconds)],
};

const thread = { clients: 1, cpuUs: 0, worstLagUs: 0, datagramsReceived: 0, datagramsSent: 0, sendFailed: 0 };
const report = loadReport({
  seconds: 10,
  tally,
  threads: [{ before: thread, after: { ...thread, cpuUs: 5_000_000, worstLagUs: 2_000 } }],
  problems: new Map([['odd', 2]]),
  server: undefined,
});

test('report: what happened within the measured time, and nothing from before it', () => {
  assert.equal(report.video.bps.p50, 1_000_000);
  // 100 of 1010 were lost: 1000 came, of which 90 were repairs of lost ones.
  assert.ok(Math.abs(report.video.loss - 100 / 1010) < 1e-9, `${report.video.loss}`);
  assert.equal(report.video.framesShown, 297 / 300);
  assert.equal(report.video.freezesPerMinute, 6);
  assert.equal(report.video.frozen, 0.05);
  assert.deepEqual(report.video.byEncoding, [0, 1]);
  assert.equal(report.video.switchesPerMinute, 12);
  assert.equal(report.audio.concealed, 0.02);
  assert.deepEqual([report.joinMs.p50, report.connectMs.p50, report.firstFrameMs.p50], [50, 100, 300]);
  assert.deepEqual(report.load, { threads: 1, cpuShare: 0.5, worstLagMs: 2 });
});

test('report: a stream that began late counts from its start, and what is shorter than a second has no bitrate', () => {
  const late = (firstUs: number) => {
    const began = { ...frames, decoded: 30, sent: 30, freezes: 0, frozenMs: 0, firstUs };
    return spanOf(undefined, stream({ packets: 100, bytes: 125_000, frames: began }), tenSeconds);
  };
  const one = loadReport({
    seconds: 10,
    tally: { ...tally, spans: [late(9_000_000), late(10_900_000)] },
    threads: [],
    problems: new Map(),
    server: undefined,
  });
  assert.deepEqual([one.video.streams, one.video.bps.count, one.video.bps.max], [2, 1, 500_000]);
});

test('table: a report for people', () => {
  const departures = { leave: 2, crash: 1, vanish: 1 };
  const text = table({ ...report, clients: { ...report.clients, departures } });
  for (const line of [
    /clients +1 of 1 connected/,
    /came and went +2 left, 1 crashed, 1 vanished without a word/,
    /video bitrate +1\.00 Mbit\/s/,
    /0, 1 streams by encoding/,
    /problem +2 × odd/,
  ])
    assert.match(text, line);
});

test('thresholds: what is kept is not named, what is missed is, and what was not seen is missed', () => {
  const fine = { minConnected: 1, minFlowing: 1 };
  assert.deepEqual(missed(report, fine), []);
  assert.deepEqual(missed(report, { ...fine, maxLoss: 0.1, maxJoinP99Ms: 50, maxFreezes: 6, maxDelayP99Ms: 20 }), []);
  assert.equal(
    missed(report, { ...fine, maxLoss: 0.05, maxJoinP99Ms: 49, maxFreezes: 5, maxConcealed: 0.01 }).length,
    4,
  );
  assert.match(
    missed({ ...report, streams: { expected: 4, flowing: 2 } }, fine)[0] ?? '',
    /streams that came: 50\.00 %/,
  );
  assert.deepEqual(missed(report, { ...fine, minFramesShown: 0.99 }), []);
  assert.deepEqual(missed(report, { ...fine, minFramesShown: 1 }), [
    'frames shown: 99.00 %, at least 100.00 % was asked',
  ]);
  assert.deepEqual(missed(report, { ...fine, maxMemoryGrowth: 0.05 }), ["the server's memory was not seen"]);
});

test('server: gauges are summed over their labels, and its memory is judged by its second and last quarter', () => {
  const text = [
    '# TYPE sluice_process_memory_bytes gauge',
    'sluice_process_memory_bytes{kind="rss"} 100',
    'sluice_process_memory_bytes{kind="heapUsed"} 40',
    '# TYPE sluice_media_sessions gauge',
    'sluice_media_sessions{shard="0"} 2',
    'sluice_media_sessions{shard="1"} 3',
    '# TYPE sluice_media_drops_total counter',
    'sluice_media_drops_total{reason="odd"} 7',
    '# TYPE sluice_join_seconds histogram',
    'sluice_join_seconds_count 9',
  ].join('\n');
  assert.deepEqual(sampleOf(text, 5), {
    atUs: 5,
    memoryBytes: 100,
    heapBytes: 40,
    tables: { sluice_media_sessions: 5 },
    counters: { 'sluice_media_drops_total{reason="odd"}': 7 },
  });
  assert.equal(growth([1, 2, 90, 100, 500, 90, 100, 1]), 0);
  assert.equal(growth([1, 2, 100, 101, 500, 106, 110, 110]), 110 / 101 - 1);
  assert.equal(growth([]), 0);
});
