import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  LeaveRequest_Action,
  ParticipantInfo_State,
  ParticipantTracks,
  RequestResponse_Reason,
  SessionDescription,
  SubscriptionError,
  UpdateSubscription,
  UpdateTrackSettings,
} from '@livekit/protocol';
import type { ParticipantView } from '@sluice/contracts';
import { readTestDescription } from '@sluice/sdp/internal';
import { TestClient } from '../negotiation/test-client.ts';
import { participantView, SECOND, TestRoom, TestSession, type TestSessionOptions, trackView } from './test-session.ts';

const chromium = readTestDescription('chromium-send-and-receive');

interface Call {
  readonly me: TestSession;
  readonly room: TestRoom;
  readonly client: TestClient;
}

/** A dual client that has answered the first offer. */
function dual(options: TestSessionOptions = {}, ...others: ParticipantView[]): Call {
  const room = new TestRoom();
  room.show(...others);
  const me = new TestSession(room, options).enter();
  const call = { me, room, client: new TestClient(chromium) };
  answer(call);
  me.heard();
  return call;
}

function single(options: TestSessionOptions = {}, ...others: ParticipantView[]): Call {
  const room = new TestRoom();
  room.show(...others);
  const client = new TestClient(chromium);
  client.add('audio');
  client.add('data');
  const offer = new SessionDescription({ type: 'offer', sdp: client.offer(), id: 1 });
  const me = new TestSession(room, { ...options, request: { mode: 'single', offer, ...options.request } }).enter();
  me.heard();
  return { me, room, client };
}

const answer = ({ me, client }: Call, id = me.last('offer').id): void => {
  const sdp = client.answer(me.last('offer').sdp);
  me.say({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp, id }) });
};

const offer = ({ me, client }: Call): void =>
  me.say({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp: client.offer(), id: 2 }) });

const subscribe = ({ me }: Call, subscribed: boolean, ...trackSids: string[]): void =>
  me.say({ case: 'subscription', value: new UpdateSubscription({ subscribe: subscribed, trackSids }) });

/** What the client receives by the newest specs. */
const received = ({ me }: Call): string[] =>
  [...me.specs.values()].flatMap(({ outgoing }) => outgoing.map(({ track }) => track));

test('subscribing: others are told of before the SDP that carries their tracks', () => {
  const call = dual();
  call.room.show(participantView('b', { tracks: [trackView('a1'), trackView('v1')] }));
  assert.deepEqual(call.me.heard(), ['update', 'offer']);
  assert.deepEqual(Object.values(call.me.last('offer').midToTrackId).sort(), ['TR_a1', 'TR_v1']);
  answer(call);
  assert.deepEqual(received(call).sort(), ['TR_a1', 'TR_v1']);
});

test('subscribing: while an offer is on its way nothing else is offered; what came meanwhile follows', () => {
  const call = dual();
  call.room.show(participantView('b', { tracks: [trackView('a1')] }));
  call.room.show(participantView('c', { tracks: [trackView('a2')] }));
  call.room.show(participantView('d', { tracks: [trackView('a3')] }));
  assert.deepEqual(call.me.heard(), ['update', 'offer', 'update', 'update']);
  answer(call);
  assert.deepEqual(call.me.heard(), ['offer']);
  answer(call);
  assert.deepEqual(received(call), ['TR_a1', 'TR_a2', 'TR_a3']);
  assert.deepEqual(call.me.heard(), []);
});

test('subscribing: an answer to an older offer is passed over', () => {
  const call = dual();
  call.room.show(participantView('b', { tracks: [trackView('a1')] }));
  answer(call, 1);
  assert.deepEqual(received(call), []);
  answer(call, 0);
  assert.deepEqual(received(call), ['TR_a1'], 'zero is what clients say that number nothing');
});

test('subscribing: an offer that is not answered within 15 s makes the client join anew', () => {
  const call = dual();
  call.me.status({ state: 'connected' });
  call.room.show(participantView('b', { tracks: [trackView('a1')] }));
  call.me.pass(14.9 * SECOND);
  assert.equal(call.me.ended(), undefined);
  call.me.pass(0.2 * SECOND);
  assert.equal(call.me.last('leave').action, LeaveRequest_Action.RECONNECT);
});

test('subscribing: in single mode the client is asked to offer, once, with the sections that are missing', () => {
  const call = single();
  call.room.show(participantView('b', { tracks: [trackView('a1')] }));
  assert.deepEqual(call.me.heard(), ['update', 'mediaSectionsRequirement']);
  const { numAudios, numVideos } = call.me.last('mediaSectionsRequirement');
  assert.deepEqual([numAudios, numVideos], [0, 0], 'one section is free');
  call.room.show(participantView('c', { tracks: [trackView('a2'), trackView('v2')] }));
  assert.deepEqual(call.me.heard(), ['update', 'mediaSectionsRequirement']);
  const more = call.me.last('mediaSectionsRequirement');
  assert.deepEqual([more.numAudios, more.numVideos], [1, 1]);
  // Nothing that is on its way is asked for again.
  call.room.show(participantView('d', { tracks: [trackView('a3')] }));
  assert.deepEqual(call.me.heard(), ['update', 'mediaSectionsRequirement']);
  const third = call.me.last('mediaSectionsRequirement');
  assert.deepEqual([third.numAudios, third.numVideos], [1, 0]);
  call.client.add('audio');
  call.client.add('video');
  call.client.add('audio');
  offer(call);
  assert.deepEqual(call.me.heard(), ['answer']);
  assert.deepEqual(received(call).sort(), ['TR_a1', 'TR_a2', 'TR_a3', 'TR_v2']);
  assert.deepEqual(Object.values(call.me.last('answer').midToTrackId).sort(), ['TR_a1', 'TR_a2', 'TR_a3', 'TR_v2']);
});

test('subscribing: without auto-subscribe nothing comes until it is asked for', () => {
  const call = dual(
    { request: { autoSubscribe: false } },
    participantView('b', { tracks: [trackView('a1'), trackView('v1')] }),
  );
  assert.deepEqual(received(call), []);
  subscribe(call, true, 'TR_v1');
  answer(call);
  assert.deepEqual(received(call), ['TR_v1']);
  const participantTracks = [new ParticipantTracks({ participantSid: 'PA_b', trackSids: ['TR_a1'] })];
  call.me.say({ case: 'subscription', value: new UpdateSubscription({ subscribe: true, participantTracks }) });
  answer(call);
  assert.deepEqual(received(call).sort(), ['TR_a1', 'TR_v1']);
});

test('subscribing: with auto-subscribe a client may except tracks, also before they are published', () => {
  const call = dual({}, participantView('b', { tracks: [trackView('a1')] }));
  subscribe(call, false, 'TR_a1', 'TR_v1');
  assert.deepEqual(received(call), [], 'gone at once, before any SDP');
  call.room.show(participantView('b', { version: 2, tracks: [trackView('a1'), trackView('v1')] }));
  assert.deepEqual(received(call), []);
  subscribe(call, true, 'TR_v1');
  answer(call);
  answer(call);
  assert.deepEqual(received(call), ['TR_v1']);
});

test('subscribing: a wish for a track that nobody publishes is kept, and after 60 s told unmet once', () => {
  const call = dual();
  call.me.status({ state: 'connected' });
  subscribe(call, true, 'TR_v9');
  call.me.pass(59 * SECOND);
  assert.deepEqual(call.me.heard(), []);
  call.me.pass(300 * SECOND);
  assert.deepEqual(call.me.heard(), ['subscriptionResponse']);
  assert.deepEqual(
    [call.me.last('subscriptionResponse').trackSid, call.me.last('subscriptionResponse').err],
    ['TR_v9', SubscriptionError.SE_TRACK_NOTFOUND],
  );
});

test('subscribing: wishes have a bound', () => {
  const call = dual();
  for (let n = 0; n < 20; n++) subscribe(call, true, `TR_v${n}`);
  assert.equal(call.me.count('subscriptionResponse'), 12);
  subscribe(call, true, ...Array.from({ length: 20_000 }, (_, n) => `TR_w${n}`));
  assert.equal(call.me.count('subscriptionResponse'), 12);
  assert.equal(call.me.last('requestResponse').reason, RequestResponse_Reason.LIMIT_EXCEEDED, 'once for all');
  assert.equal(call.me.ended(), undefined);
});

test('subscribing: a disabled track is paused in the spec and keeps its place', () => {
  const call = dual({}, participantView('b', { tracks: [trackView('v1')] }));
  const settings = (disabled: boolean): void =>
    call.me.say({ case: 'trackSetting', value: new UpdateTrackSettings({ trackSids: ['TR_v1'], disabled }) });
  const paused = (): boolean | undefined => [...call.me.specs.values()][0]?.outgoing[0]?.paused;
  assert.equal(paused(), false);
  settings(true);
  assert.equal(paused(), true);
  settings(false);
  assert.equal(paused(), false);
  assert.deepEqual(call.me.heard(), [], 'no SDP changes for it');
});

test('subscribing: a codec that the client has not is told once', () => {
  const room = new TestRoom();
  room.show(participantView('b', { tracks: [trackView('v1', { mimeType: 'video/AV1' }), trackView('v2')] }));
  const me = new TestSession(room).enter();
  const call = { me, room, client: new TestClient(chromium, ['AV1']) };
  answer(call);
  assert.equal(me.last('subscriptionResponse').err, SubscriptionError.SE_CODEC_UNSUPPORTED);
  room.show(participantView('c', { tracks: [trackView('v3')] }));
  answer(call);
  assert.equal(me.count('subscriptionResponse'), 1);
  assert.deepEqual(received(call), ['TR_v2', 'TR_v3']);
});

const permission = (allTracks: boolean, ...tracks: string[]): ParticipantView['subscriptionPermission'] => ({
  allParticipants: false,
  trackPermissions: [{ participant: '', identity: 'me', allTracks, tracks }],
});

test('subscribing: a publisher decides who gets its tracks, and those concerned are told', () => {
  const tracks = [trackView('a1'), trackView('v1')];
  const call = dual({}, participantView('b', { tracks }));
  call.room.show(participantView('b', { tracks, version: 2, subscriptionPermission: permission(false, 'TR_a1') }));
  assert.deepEqual(received(call), ['TR_a1']);
  const update = call.me.last('subscriptionPermissionUpdate');
  assert.deepEqual([update.participantSid, update.trackSid, update.allowed], ['PA_b', 'TR_v1', false]);
  call.me.heard();
  answer(call);
  call.room.show(participantView('b', { tracks, version: 3, subscriptionPermission: permission(true) }));
  assert.deepEqual(call.me.heard(), ['update', 'subscriptionPermissionUpdate', 'offer']);
  assert.equal(call.me.last('subscriptionPermissionUpdate').allowed, true);
  answer(call);
  assert.deepEqual(received(call).sort(), ['TR_a1', 'TR_v1']);
});

test('subscribing: whoever may not have a track hears so when it joins', () => {
  const subscriptionPermission = { allParticipants: false, trackPermissions: [] };
  const room = new TestRoom();
  room.show(participantView('b', { tracks: [trackView('a1')], subscriptionPermission }));
  const me = new TestSession(room).enter();
  assert.deepEqual(me.heard(), ['join', 'subscriptionPermissionUpdate', 'offer']);
  assert.deepEqual(me.last('offer').midToTrackId, {});
});

test('subscribing: tracks that go take their place with them', () => {
  const call = dual(
    {},
    participantView('b', { tracks: [trackView('a1')] }),
    participantView('c', { tracks: [trackView('a2')] }),
  );
  call.room.show(
    participantView('b', { tracks: [], version: 2 }),
    participantView('c', { left: 'client-initiated', version: 2 }),
  );
  assert.deepEqual(received(call), []);
  assert.deepEqual(call.me.heard(), ['update', 'update', 'offer'], 'who went, who changed, then SDP');
});

test('subscribing: a mute is told and changes no SDP', () => {
  const call = dual({}, participantView('b', { tracks: [trackView('a1')] }));
  call.room.show(participantView('b', { tracks: [trackView('a1', { muted: true })], version: 2 }));
  assert.deepEqual(call.me.heard(), ['update']);
  assert.equal(call.me.last('update').participants[0]?.tracks[0]?.muted, true);
});

test('subscribing: the room hears what is received, once client and we have agreed, and no longer when it is not', () => {
  const call = dual({}, participantView('b', { tracks: [trackView('a1')] }));
  assert.deepEqual(call.me.intent.wants, [{ track: 'TR_a1', quality: 'high' }]);
  call.room.show(participantView('b', { tracks: [trackView('a1'), trackView('v1')], version: 2 }));
  assert.equal(call.me.intent.wants.length, 1);
  answer(call);
  assert.equal(call.me.intent.wants.length, 2);
  subscribe(call, false, 'TR_a1', 'TR_v1');
  assert.deepEqual(call.me.intent.wants, []);
});

test('the room: an older session goes strictly before the newer comes, and is not mentioned again', () => {
  const call = dual({}, participantView('b', { joinedAtMs: 5 }));
  const newer = participantView('b', { participant: 'PA_b2' as never, joinedAtMs: 6 });
  call.room.show(newer);
  assert.deepEqual(call.me.heard(), ['update', 'update']);
  const [gone, here] = call.me.messages
    .slice(-2)
    .map((message) => (message.case === 'update' ? message.value.participants[0] : undefined));
  assert.deepEqual([gone?.sid, gone?.state], ['PA_b', ParticipantInfo_State.DISCONNECTED]);
  assert.deepEqual([here?.sid, here?.state], ['PA_b2', ParticipantInfo_State.ACTIVE]);
  call.room.show(participantView('b', { joinedAtMs: 5, left: 'duplicate-identity', version: 9 }));
  call.room.show(participantView('b', { joinedAtMs: 5, version: 10 }));
  assert.deepEqual(call.me.heard(), []);
});

test('the room: versions never go back, and speaking is no version', () => {
  const call = dual({}, participantView('b', { version: 5 }));
  call.room.show(participantView('b', { version: 4, name: 'stale' }));
  assert.deepEqual(call.me.heard(), []);
});

test('the room: who speaks is told when the client hears it, and once when it stops', () => {
  const view = (active: boolean, level: number, over = {}): ParticipantView =>
    participantView('b', { tracks: [trackView('a1')], speaking: { active, level }, ...over });
  const call = dual({}, view(false, 0), participantView('silent'));
  call.room.show(view(true, 0.51));
  assert.deepEqual(call.me.heard(), ['speakersChanged']);
  assert.deepEqual(
    call.me.last('speakersChanged').speakers.map(({ sid, level, active }) => [sid, level, active]),
    [['PA_b', 0.5, true]],
  );
  call.room.show(view(true, 0.52));
  assert.deepEqual(call.me.heard(), [], 'no louder by an eighth');
  call.room.show(view(false, 0));
  assert.equal(call.me.last('speakersChanged').speakers[0]?.active, false);
  call.room.show(participantView('silent', { speaking: { active: true, level: 1 } }));
  assert.equal(call.me.count('speakersChanged'), 2, 'nobody hears a participant without tracks');
  call.room.take(call.me.intent, { speaking: { active: true, level: 1 } });
  assert.equal(call.me.last('speakersChanged').speakers[0]?.sid, 'PA_me');
});

test('the room: whoever speaks already is told with the first of its tracks', () => {
  const speaking = { active: true, level: 0.5 };
  const call = dual({}, participantView('b', { speaking, tracks: [trackView('a1')] }));
  assert.equal(call.me.last('speakersChanged').speakers[0]?.sid, 'PA_b');
  subscribe(call, false, 'TR_a1');
  assert.equal(call.me.last('speakersChanged').speakers[0]?.active, false);
});

test('the room: its metadata is told, at most once a second', () => {
  const call = dual();
  call.me.status({ state: 'connected' });
  for (const metadata of ['one', 'two', 'three']) {
    call.room.info = { ...call.room.info, metadata };
    call.room.show();
  }
  assert.deepEqual(call.me.heard(), []);
  call.me.pass(1.1 * SECOND);
  assert.deepEqual(call.me.heard(), ['roomUpdate']);
  assert.equal(call.me.last('roomUpdate').room?.metadata, 'three');
});

test('the room: someone who vanished without a word is gone', () => {
  const call = dual({}, participantView('b'), participantView('c'));
  call.room.forget('b');
  assert.deepEqual(call.me.heard(), ['update']);
  const [info] = call.me.last('update').participants;
  assert.deepEqual([info?.sid, info?.state], ['PA_b', ParticipantInfo_State.DISCONNECTED]);
});
