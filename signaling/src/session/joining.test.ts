import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddTrackRequest,
  ClientInfo,
  ClientInfo_SDK,
  LeaveRequest_Action,
  ParticipantInfo_State,
  SessionDescription,
  TrackSource,
  TrackType,
} from '@livekit/protocol';
import { readTestDescription } from '@sluice/sdp/internal';
import { TestClient, testSite } from '../negotiation/test-client.ts';
import { participantView, SECOND, TestRoom, TestSession, trackView } from './test-session.ts';

const chromium = readTestDescription('chromium-send-and-receive');

const offerOf = (client: TestClient, id = 0): SessionDescription =>
  new SessionDescription({ type: 'offer', sdp: client.offer(), id });

test('joining: a dual client hears join, then the offer of its subscriber connection', () => {
  const room = new TestRoom();
  room.show(
    participantView('other', { tracks: [trackView('a1')] }),
    participantView('ghost', { left: 'client-initiated' }),
  );
  const me = new TestSession(room).enter();
  assert.deepEqual(me.heard(), ['join', 'offer']);
  const join = me.last('join');
  assert.equal(join.room?.sid, 'RM_room');
  assert.equal(join.participant?.sid, 'PA_me');
  assert.equal(join.participant?.permission?.canPublish, true);
  assert.deepEqual(
    join.otherParticipants.map(({ identity }) => identity),
    ['other'],
  );
  assert.deepEqual(
    join.otherParticipants[0]?.tracks.map(({ sid }) => sid),
    ['TR_a1'],
  );
  assert.equal(join.otherParticipants[0]?.clientProtocol, 2);
  assert.deepEqual(join.otherParticipants[0]?.capabilities, [2]);
  assert.equal(join.otherParticipants[0]?.state, ParticipantInfo_State.ACTIVE);
  assert.deepEqual([join.pingInterval, join.pingTimeout], [5, 15]);
  assert.match(join.serverVersion, /^\d+\.\d+\.\d+$/);
  assert.equal(join.serverInfo?.version, join.serverVersion);
  assert.equal(join.serverInfo?.protocol, 17);
  assert.equal(join.subscriberPrimary, true);
  assert.equal(join.fastPublish, true);
  assert.deepEqual(
    join.enabledPublishCodecs.map(({ mime }) => mime),
    ['video/VP8', 'video/H264', 'video/VP9', 'video/AV1', 'audio/opus'],
  );
  // The track that is there already stands in the first offer.
  assert.match(me.last('offer').sdp, /a=msid:PA_other\|TR_a1 TR_a1/);
  assert.deepEqual(Object.values(me.last('offer').midToTrackId), ['TR_a1']);
  assert.equal(me.tokens.length, 1);
});

test('joining: SDKs made from the Rust core gather their changes, others publish at once', () => {
  for (const [sdk, atOnce] of [
    [ClientInfo_SDK.JS, true],
    [ClientInfo_SDK.SWIFT, true],
    [ClientInfo_SDK.NODE, false],
    [ClientInfo_SDK.PYTHON, false],
    [ClientInfo_SDK.RUST, false],
  ] as const) {
    const me = new TestSession(new TestRoom(), { request: { client: new ClientInfo({ sdk }) } }).enter();
    assert.equal(me.last('join').fastPublish, atOnce, ClientInfo_SDK[sdk]);
  }
});

test('joining: specs are said with the first descriptions and no sooner', () => {
  const me = new TestSession(new TestRoom()).enter();
  assert.equal(me.specs.size, 1, 'the subscriber connection was offered, the publisher one was not');
  const browser = new TestClient(chromium);
  me.say({
    case: 'answer',
    value: new SessionDescription({ type: 'answer', sdp: browser.answer(me.last('offer').sdp), id: 1 }),
  });
  const [subscriber] = [...me.specs.values()];
  assert.deepEqual(subscriber?.data && { receive: subscriber.data.receive, publish: subscriber.data.publish }, {
    receive: true,
    publish: false,
  });
  const client = new TestClient(chromium);
  client.add('data');
  me.say({ case: 'offer', value: offerOf(client, 7) });
  assert.equal(me.last('answer').id, 7);
  assert.equal(me.specs.size, 2);
  const publisher = [...me.specs.values()][1];
  assert.deepEqual(publisher?.data && { receive: publisher.data.receive, publish: publisher.data.publish }, {
    receive: false,
    publish: true,
  });
});

test('joining: a single client whose offer came along hears join and answer at once', () => {
  const room = new TestRoom();
  room.show(participantView('other', { tracks: [trackView('a1'), trackView('v1')] }));
  const client = new TestClient(chromium);
  for (const kind of ['audio', 'video', 'data'] as const) client.add(kind);
  const me = new TestSession(room, { request: { mode: 'single', offer: offerOf(client, 1) } }).enter();
  assert.deepEqual(me.heard(), ['join', 'answer']);
  assert.equal(me.last('join').subscriberPrimary, false);
  const answer = me.last('answer');
  assert.equal(answer.id, 1);
  assert.deepEqual(answer.midToTrackId, { '0': 'TR_a1', '1': 'TR_v1' });
  const [spec] = [...me.specs.values()];
  assert.deepEqual(spec?.data && { receive: spec.data.receive, publish: spec.data.publish }, {
    receive: true,
    publish: true,
  });
  assert.deepEqual(
    spec?.outgoing.map(({ track }) => track),
    ['TR_a1', 'TR_v1'],
  );
});

test('joining: tracks announced with the join are published by the offer that came along', () => {
  const client = new TestClient(chromium);
  client.send('a-mic');
  const addTracks = [new AddTrackRequest({ cid: 'a-mic', type: TrackType.AUDIO, source: TrackSource.MICROPHONE })];
  const me = new TestSession(new TestRoom(), {
    request: { mode: 'single', addTracks, offer: offerOf(client) },
  }).enter();
  assert.deepEqual(me.heard(), ['join', 'trackPublished', 'answer']);
  assert.equal(me.last('answer').id, 0, 'clients that number nothing get nothing else back');
  assert.deepEqual(
    me.intent.tracks.map(({ source }) => source),
    ['microphone'],
  );
});

test('joining: it waits for the room to show the participant, and for the site', () => {
  const room = new TestRoom();
  const me = new TestSession(room, { over: { site: undefined } });
  me.session.start({ us: 10 * SECOND, unixMs: 1 }, me);
  assert.equal(me.intents.length, 1);
  room.show(participantView('other'));
  room.take(me.intent);
  assert.deepEqual(me.heard(), []);
  me.input({ type: 'site', site: testSite });
  assert.deepEqual(me.heard(), ['join', 'offer']);
});

test('joining: after 5 s it is refused with 503 and leaves no trace', () => {
  const room = new TestRoom();
  const me = new TestSession(room);
  me.session.start({ us: 10 * SECOND, unixMs: 1 }, me);
  me.pass(4.9 * SECOND, 'silent');
  assert.equal(me.refusals.length, 0);
  me.pass(0.2 * SECOND, 'silent');
  assert.deepEqual(
    me.refusals.map(({ status }) => status),
    [503],
  );
  assert.equal(me.intent.left, 'join-failure');
  assert.equal(me.ended()?.reason, 'join-failure');
  room.take(me.intents[0] ?? me.intent);
  assert.deepEqual(me.heard(), [], 'too late');
});

test('joining: a full room is said so by leave, and the client does not come back by itself', () => {
  const room = new TestRoom();
  const me = new TestSession(room);
  me.session.start({ us: 10 * SECOND, unixMs: 1 }, me);
  room.take(me.intent, { left: 'room-full' });
  assert.deepEqual(me.heard(), ['leave']);
  assert.equal(me.last('leave').action, LeaveRequest_Action.DISCONNECT);
  assert.equal(me.ended()?.reason, 'room-full');
});

test('joining: a client that goes before it is in takes its intent with it', () => {
  const me = new TestSession(new TestRoom());
  me.session.start({ us: 10 * SECOND, unixMs: 1 }, me);
  me.input({ type: 'link-lost' });
  assert.equal(me.intent.left, 'signal-close');
  assert.equal(me.messages.length, 0);
});

test('joining: nobody is told of itself under an older sid, of the hidden, or of an older session of somebody', () => {
  const room = new TestRoom();
  room.show(
    participantView('me', { participant: 'PA_older' as never, joinedAtMs: 1, tracks: [trackView('a1')] }),
    participantView('spy', { permissions: { ...participantView('x').permissions, hidden: true } }),
    participantView('b', { participant: 'PA_bOld' as never, joinedAtMs: 1 }),
    participantView('b', { participant: 'PA_bNew' as never, joinedAtMs: 2 }),
  );
  const me = new TestSession(room).enter();
  assert.deepEqual(
    me.last('join').otherParticipants.map(({ sid }) => sid),
    ['PA_bNew'],
  );
  assert.deepEqual(me.last('offer').midToTrackId, {}, 'nor does it receive what its older session published');
});

test('joining: whoever may not subscribe has the publisher connection alone, with data both ways', () => {
  const room = new TestRoom();
  room.show(participantView('other', { tracks: [trackView('a1')] }));
  const me = new TestSession(room, { permissions: { canSubscribe: false } }).enter();
  assert.deepEqual(me.heard(), ['join']);
  assert.equal(me.last('join').subscriberPrimary, false);
  const client = new TestClient(chromium);
  client.add('data');
  me.say({ case: 'offer', value: offerOf(client) });
  assert.equal([...me.specs.values()][0]?.data?.receive, true);
  assert.deepEqual(me.heard(), ['answer']);
});

test('joining: what a client brings itself counts only where its token lets it', () => {
  const request = { metadata: 'mine', attributes: { a: '1' }, client: new ClientInfo() };
  const may = new TestSession(new TestRoom(), { request }).enter();
  assert.deepEqual([may.intent.metadata, may.intent.attributes], ['mine', { a: '1' }]);
  const mayNot = new TestSession(new TestRoom(), { request, permissions: { canUpdateMetadata: false } }).enter();
  assert.deepEqual([mayNot.intent.metadata, mayNot.intent.attributes], ['', {}]);
});

test('joining: too much metadata is refused with 400 and never said to the room', () => {
  const me = new TestSession(new TestRoom(), { request: { attributes: { a: 'x'.repeat(2000) } } });
  me.session.start({ us: 10 * SECOND, unixMs: 1 }, me);
  assert.deepEqual(
    me.refusals.map(({ status }) => status),
    [400],
  );
  assert.equal(me.intents.length, 0);
  assert.equal(me.ended()?.reason, 'join-failure');
});

test('joining: a first offer that cannot be read ends the session with a leave', () => {
  const offer = new SessionDescription({ type: 'offer', sdp: 'v=0\r\nnonsense', id: 1 });
  const me = new TestSession(new TestRoom(), { request: { mode: 'single', offer } }).enter();
  assert.deepEqual(me.heard(), ['join', 'leave']);
  assert.equal(me.last('leave').action, LeaveRequest_Action.DISCONNECT);
  assert.equal(me.specs.size, 0);
});
