import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReceivedStreamReport } from '@sluice/packet-path';
import { seededRandom } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import type { RoomClient } from '../client/room-client.ts';
import { Churn } from './churn.ts';
import { Crowd } from './crowd.ts';
import type { LoadMember } from './plan.ts';

const stream = (ssrc: number, source: number, packets: number): ReceivedStreamReport => ({
  ssrc,
  kind: 'audio',
  packets,
  bytes: packets * 100,
  lost: 0,
  recovered: 0,
  nacks: 0,
  keyFramesAsked: 0,
  jitterMs: 0,
  source,
  audio: { played: packets, concealed: 0, late: 0, redundant: 0, bufferMs: 40 },
  delay: { count: packets, p50Ms: 1, p95Ms: 1, p99Ms: 1, maxMs: 1 },
});

const video = (ssrc: number, source: number, decoded: number, firstUs = 0): ReceivedStreamReport => {
  const { audio: _, ...common } = stream(ssrc, source, 100);
  const troubles = { dropped: 0, freezes: 0, frozenMs: 0, longestGapMs: 0, brokenReferences: 0, encodingSwitches: 0 };
  return { ...common, kind: 'video', frames: { ...troubles, decoded, keyFrames: 1, sent: 1, encoding: 0, firstUs } };
};

/** As much of a client as a crowd asks for. */
class FakeRoom {
  state = 'new';
  readonly resumes = 0;
  readonly rejoins = 0;
  readonly mark: number;
  streams: ReceivedStreamReport[] = [];
  times: { dialedUs: number; joinedUs?: number; connectedUs?: number } = { dialedUs: 0 };

  constructor(mark: number) {
    this.mark = mark;
  }
  connect(): void {
    this.state = 'live';
    this.times = { dialedUs: 0, joinedUs: 10_000, connectedUs: 20_000 };
  }
  leave(): void {
    this.state = 'left';
  }
  crash(): void {
    this.state = 'crashed';
  }
  vanish(): void {
    this.state = 'vanished';
  }
  report() {
    return {
      received: this.streams.map((each) => ({ stream: each })),
      sent: this.mark === 0 ? [] : [{ mark: this.mark }],
    };
  }
}

const member = (identity: string, publishes = false): LoadMember => ({
  roomName: 'r',
  identity,
  publishes,
  receives: true,
});

function crowdOf(...members: LoadMember[]) {
  const clock = new VirtualClock(0);
  const rooms: FakeRoom[] = [];
  const crowd = new Crowd(clock, (each) => {
    const room = new FakeRoom(each.publishes ? 100 + rooms.length : 0);
    rooms.push(room);
    return { member: each, room: room as unknown as RoomClient, expected: each.publishes ? 0 : 1 };
  });
  for (const each of members) crowd.come(each);
  return { clock, crowd, rooms };
}

test('crowd: who goes is remembered with what it saw, and is no loss', () => {
  const { crowd, rooms, clock } = crowdOf(member('a'), member('b'));
  const [a, b] = rooms;
  assert.ok(a && b);
  a.streams = [stream(1, 7, 10)];
  b.streams = [stream(2, 7, 10)];
  crowd.measure();
  clock.advance(10_000_000);
  a.streams = [stream(1, 7, 110)];
  b.streams = [stream(2, 7, 210)];
  const [first] = crowd.clients;
  assert.ok(first);
  crowd.go(first, 'vanish');
  assert.equal(a.state, 'vanished');
  crowd.come(member('a#2'));
  const { clients, spans, entries, streams } = crowd.tally();
  const { wanted, connected, dropped, departures } = clients;
  assert.deepEqual([wanted, connected, dropped, entries.length], [3, 3, 0, 3]);
  assert.deepEqual(departures, { leave: 0, crash: 0, vanish: 1 });
  assert.deepEqual(
    spans.map(({ packets }) => packets),
    [100, 200],
  );
  // The newcomer receives nothing yet.
  assert.deepEqual(streams, { expected: 2, flowing: 1 });
});

test('crowd: a stream whose publisher was sent away is over for those who saw it', () => {
  const { crowd, rooms, clock } = crowdOf(member('publisher', true), member('a'));
  const [publisher, a] = rooms;
  assert.ok(publisher && a);
  a.streams = [stream(1, publisher.mark, 10)];
  crowd.measure();
  clock.advance(1_000_000);
  a.streams = [stream(1, publisher.mark, 60)];
  const [first] = crowd.clients;
  assert.ok(first);
  crowd.go(first, 'crash');
  clock.advance(9_000_000);
  crowd.expectFlow();
  a.streams = [stream(1, publisher.mark, 60), stream(2, 500, 50)];
  const { spans, streams } = crowd.tally();
  assert.deepEqual(
    spans.map(({ packets, seconds }) => [packets, seconds]),
    [
      [50, 1],
      [50, 10],
    ],
  );
  assert.deepEqual(streams, { expected: 1, flowing: 1 });
});

test('crowd: packets of video that show nothing are no stream', () => {
  const { crowd, rooms } = crowdOf(member('a'));
  const [a] = rooms;
  assert.ok(a);
  crowd.measure();
  a.streams = [video(1, 7, 0)];
  assert.deepEqual(crowd.tally().streams, { expected: 1, flowing: 0 });
  a.streams = [video(1, 7, 1)];
  assert.deepEqual(crowd.tally().streams, { expected: 1, flowing: 1 });
});

test('crowd: the first picture is that of whom it saw first, even when that one has gone', () => {
  const { crowd, rooms } = crowdOf(member('publisher', true), member('a'));
  const [publisher, a] = rooms;
  assert.ok(publisher && a);
  crowd.measure();
  a.streams = [video(1, publisher.mark, 1, 300_000)];
  const [first] = crowd.clients;
  assert.ok(first);
  crowd.go(first, 'leave');
  a.streams = [video(2, 999, 1, 90_000_000)];
  assert.deepEqual(
    crowd.tally().entries.map(({ firstFrameMs }) => firstFrameMs),
    [undefined, 300],
  );
});

test('crowd: who is not there any more though nobody sent it away was dropped', () => {
  const { crowd, rooms } = crowdOf(member('a'), member('b'));
  crowd.measure();
  if (rooms[0] !== undefined) rooms[0].state = 'rejoining';
  const { connected, dropped } = crowd.tally().clients;
  assert.deepEqual([connected, dropped, crowd.connected], [2, 1, 1]);
});

test('churn: at its rate one goes and another comes, each third time without a word, until it is stopped', () => {
  const { crowd, clock } = crowdOf(...Array.from({ length: 9 }, (_, index) => member(`m-${index}`)));
  crowd.measure();
  const churn = new Churn({ clock, random: seededRandom(1), crowd, perMinute: 60 });
  clock.advance(30_000_000);
  churn.stop();
  clock.advance(30_000_000);
  const { departures, wanted } = crowd.tally().clients;
  assert.deepEqual(departures, { leave: 10, crash: 10, vanish: 10 });
  assert.deepEqual([wanted, crowd.clients.length, crowd.connected], [39, 9, 9]);
  assert.equal(clock.pendingTimers(), 0);
});
