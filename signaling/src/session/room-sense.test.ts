import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddTrackRequest,
  ConnectionQuality,
  SessionDescription,
  StreamState,
  SyncState,
  TrackSource,
  TrackType,
  UpdateSubscription,
  UpdateTrackSettings,
  VideoLayer,
  VideoQuality,
} from '@livekit/protocol';
import type { ParticipantView, TrackId, TrackWish } from '@sluice/contracts';
import { readTestDescription } from '@sluice/sdp/internal';
import { TestClient } from '../negotiation/test-client.ts';
import {
  connectRequest,
  participantView,
  SECOND,
  TestRoom,
  TestSession,
  type TestSessionOptions,
  trackView,
} from './test-session.ts';

const chromium = readTestDescription('chromium-send-and-receive');
const layers = [
  { quality: 'low', widthPx: 320, heightPx: 180, bitrateBps: 0, rid: 'q' },
  { quality: 'medium', widthPx: 640, heightPx: 360, bitrateBps: 0, rid: 'h' },
  { quality: 'high', widthPx: 1280, heightPx: 720, bitrateBps: 0, rid: 'f' },
];
const V1 = 'TR_v1' as TrackId;
const bob = (over: Partial<ParticipantView> = {}): ParticipantView =>
  participantView('b', { tracks: [trackView('v1', { layers })], ...over });

/** A dual client that receives all of the others. */
function viewer(options: TestSessionOptions = {}, ...others: ParticipantView[]): { me: TestSession; room: TestRoom } {
  const room = new TestRoom();
  room.show(...others);
  const me = new TestSession(room, options).enter();
  answer(me);
  me.connect();
  room.take(me.intent);
  me.heard();
  return { me, room };
}

function answer(me: TestSession): void {
  const sdp = new TestClient(chromium).answer(me.last('offer').sdp);
  me.say({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp, id: me.last('offer').id }) });
}

const settings = (me: TestSession, over: Partial<UpdateTrackSettings>): void =>
  me.say({ case: 'trackSetting', value: new UpdateTrackSettings({ trackSids: [V1], ...over }) });

const wish = (me: TestSession): TrackWish | undefined =>
  [...me.specs.values()].flatMap(({ outgoing }) => outgoing).find(({ track }) => track === V1)?.wish;

const resume = (me: TestSession): void => {
  const syncState = new SyncState({ trackSidsDisabled: [] });
  me.input({
    type: 'resume',
    request: connectRequest({ resume: { participant: me.session.participant, reason: 0, syncState } }),
  });
};

test('adaptive stream: the lowest layer until the client says how large it shows the track, then what covers that', () => {
  const { me } = viewer({ request: { adaptiveStream: true } }, bob());
  assert.equal(wish(me)?.quality, 'low');
  assert.deepEqual(me.intent.wants, [{ track: V1, quality: 'low' }]);
  settings(me, { width: 600, height: 300, fps: 15, priority: 2 });
  assert.deepEqual(wish(me), {
    quality: 'medium',
    maxFps: 15,
    priority: 2,
    widthPx: 600,
    heightPx: 300,
    mayPause: true,
  });
  assert.deepEqual(me.intent.wants, [{ track: V1, quality: 'medium' }]);
});

test('adaptive stream: clients without it have the best from the beginning', () => {
  const { me } = viewer({}, bob());
  assert.equal(wish(me)?.quality, 'high');
  settings(me, { quality: VideoQuality.LOW });
  assert.equal(wish(me)?.quality, 'low');
});

test('adaptive stream: what is not shown is not wanted, and shown again it is at once', () => {
  const { me } = viewer({}, bob());
  settings(me, { disabled: true, quality: VideoQuality.HIGH });
  assert.deepEqual(me.intent.wants, [{ track: V1, quality: 'off' }]);
  settings(me, { disabled: false, quality: VideoQuality.HIGH });
  assert.deepEqual(me.intent.wants, [{ track: V1, quality: 'high' }]);
});

test('adaptive stream: layers that become known later count for the size that was said', () => {
  const { me, room } = viewer({}, participantView('b', { tracks: [trackView('v1')] }));
  settings(me, { width: 100, height: 100 });
  assert.equal(wish(me)?.quality, 'high');
  room.show(bob({ version: 2 }));
  assert.equal(wish(me)?.quality, 'low');
});

test('adaptive stream: a client that comes back keeps its settings', () => {
  const { me } = viewer({}, bob());
  settings(me, { width: 100, height: 100 });
  me.input({ type: 'link-lost' });
  resume(me);
  assert.equal(wish(me)?.quality, 'low');
});

/** A single client that publishes one camera with three layers. */
function publisher(): { me: TestSession; room: TestRoom; wanted: (quality: 'off' | 'low' | 'high') => void } {
  const room = new TestRoom();
  const me = new TestSession(room, { request: { mode: 'single' } }).enter();
  const client = new TestClient(chromium);
  const value = new AddTrackRequest({
    cid: 'v-cam',
    type: TrackType.VIDEO,
    source: TrackSource.CAMERA,
    layers: layers.map(({ widthPx, heightPx }, i) => new VideoLayer({ quality: i, width: widthPx, height: heightPx })),
  });
  me.say({ case: 'addTrack', value });
  client.send('v-cam');
  me.say({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp: client.offer(), id: 1 }) });
  me.connect();
  room.take(me.intent);
  me.heard();
  const track = me.intent.tracks[0]?.track;
  assert.ok(track !== undefined);
  return { me, room, wanted: (quality) => room.take(me.intent, { wanted: [{ track, quality }] }) };
}

/** `low medium`: the layers that the publisher was last told to send. */
const layersOn = (me: TestSession): string =>
  (me.last('subscribedQualityUpdate').subscribedCodecs[0]?.qualities ?? [])
    .filter(({ enabled }) => enabled)
    .map(({ quality }) => VideoQuality[quality].toLowerCase())
    .join(' ');

test('dynacast: layers without use are turned off after a while and on at once, all of them listed', () => {
  const { me, wanted } = publisher();
  wanted('low');
  me.pass(9 * SECOND);
  assert.equal(me.count('subscribedQualityUpdate'), 0);
  me.pass(2 * SECOND);
  assert.equal(layersOn(me), 'low');
  const update = me.last('subscribedQualityUpdate');
  assert.equal(update.subscribedCodecs[0]?.codec, 'vp8');
  assert.equal(update.subscribedCodecs[0]?.qualities.length, 3);
  assert.deepEqual(update.subscribedQualities, update.subscribedCodecs[0]?.qualities);
  wanted('high');
  assert.equal(layersOn(me), 'low medium high');
  wanted('off');
  me.pass(6 * SECOND);
  assert.equal(layersOn(me), '');
});

test('dynacast: a publisher who was away when somebody came hears of it when it is back', () => {
  const { me, wanted } = publisher();
  wanted('off');
  me.pass(11 * SECOND);
  assert.equal(layersOn(me), '');
  me.input({ type: 'link-lost' });
  wanted('high');
  assert.equal(me.count('subscribedQualityUpdate'), 1);
  me.input({
    type: 'resume',
    request: connectRequest({
      mode: 'single',
      resume: { participant: me.session.participant, reason: 0, syncState: undefined },
    }),
  });
  assert.equal(layersOn(me), 'low medium high');
});

test('connection quality: the worst of the peer connections is what the room hears', () => {
  const { me } = viewer({}, bob());
  me.status({ quality: { quality: 'excellent', score: 4.4 } });
  me.status({ quality: { quality: 'poor', score: 2 } }, 1);
  assert.deepEqual(me.intent.connection, { quality: 'poor', score: 2 });
  me.status({ state: 'closed', closeReason: 'dropped', quality: { quality: 'poor', score: 2 } }, 1);
  assert.deepEqual(me.intent.connection, { quality: 'excellent', score: 4.4 });
});

test('connection quality: a client hears of itself and of those it receives, together and at most every 5 s', () => {
  const { me, room } = viewer({}, bob(), participantView('quiet'));
  const of = (score: number): Partial<ParticipantView> => ({ connection: { quality: 'good', score } });
  room.show(bob(of(3)), participantView('quiet', of(3)));
  assert.deepEqual(
    me.last('connectionQuality').updates.map(({ participantSid, quality }) => [participantSid, quality]),
    [['PA_b', ConnectionQuality.GOOD]],
  );
  room.show(bob(of(3.5)));
  room.take(me.intent, { connection: { quality: 'excellent', score: 4.4 } });
  assert.equal(me.count('connectionQuality'), 1);
  me.pass(5 * SECOND);
  const { updates } = me.last('connectionQuality');
  assert.deepEqual(updates.map(({ participantSid }) => participantSid).sort(), ['PA_b', 'PA_me']);
  me.pass(60 * SECOND);
  assert.equal(me.count('connectionQuality'), 2, 'no news, no message');
});

test('connection quality: nobody is told that it is lost itself; others are told that it is', () => {
  const { me, room } = viewer({}, bob());
  const lost = { connection: { quality: 'lost' as const, score: 1 } };
  room.take(me.intent, lost);
  me.pass(10 * SECOND);
  assert.equal(me.count('connectionQuality'), 0);
  room.show(bob(lost));
  assert.equal(me.last('connectionQuality').updates[0]?.quality, ConnectionQuality.LOST);
});

test('connection quality: whoever is received only now is told of then', () => {
  const { me, room } = viewer({ request: { autoSubscribe: false } }, bob());
  room.show(bob({ connection: { quality: 'poor', score: 2 } }));
  assert.equal(me.count('connectionQuality'), 0);
  me.say({ case: 'subscription', value: new UpdateSubscription({ subscribe: true, trackSids: [V1] }) });
  answer(me);
  assert.equal(me.last('connectionQuality').updates[0]?.quality, ConnectionQuality.POOR);
});

test('stream state: what is held back for lack of bandwidth is told, and when it flows again', () => {
  const { me } = viewer({}, bob());
  me.status({ pausedTracks: [V1, 'TR_gone' as TrackId] });
  const [state, ...others] = me.last('streamStateUpdate').streamStates;
  assert.deepEqual(
    [state?.participantSid, state?.trackSid, state?.state, others],
    ['PA_b', V1, StreamState.PAUSED, []],
  );
  me.status({ pausedTracks: [V1] });
  assert.equal(me.count('streamStateUpdate'), 1);
  me.status({ pausedTracks: [] });
  assert.equal(me.last('streamStateUpdate').streamStates[0]?.state, StreamState.ACTIVE);
});

test('stream state: a client that allows no pause is told of none, and its wish says so', () => {
  const { me } = viewer({ request: { allowPause: false } }, bob());
  assert.equal(wish(me)?.mayPause, false);
  me.status({ pausedTracks: [V1] });
  assert.equal(me.count('streamStateUpdate'), 0);
});

test('stream state: a client that was away hears of it when it is back', () => {
  const { me } = viewer({}, bob());
  me.input({ type: 'link-lost' });
  me.status({ pausedTracks: [V1] });
  assert.equal(me.count('streamStateUpdate'), 0);
  resume(me);
  assert.equal(me.last('streamStateUpdate').streamStates[0]?.state, StreamState.PAUSED);
});
