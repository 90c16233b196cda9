import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddTrackRequest,
  LeaveRequest_Action,
  ParticipantInfo_State,
  SessionDescription,
  SimulateScenario,
  SyncState,
  TrackInfo,
  TrackPublishedResponse,
  TrackType,
  UpdateSubscription,
} from '@livekit/protocol';
import { readTestDescription } from '@sluice/sdp/internal';
import type { ConnectRequest } from '../messages/connect-request.ts';
import { TestClient } from '../negotiation/test-client.ts';
import {
  connectRequest,
  participantView,
  SECOND,
  TestRoom,
  TestSession,
  type TestSessionOptions,
  testGrants,
  trackView,
} from './test-session.ts';

const chromium = readTestDescription('chromium-send-and-receive');

interface Call {
  readonly me: TestSession;
  readonly room: TestRoom;
  readonly client: TestClient;
}

/** A dual client whose media is up and that receives `TR_a1` of `b`. */
function dual(options: TestSessionOptions = {}): Call {
  const room = new TestRoom();
  room.show(participantView('b', { tracks: [trackView('a1')] }));
  const me = new TestSession(room, options).enter();
  const client = new TestClient(chromium);
  answer({ me, room, client });
  me.connect();
  room.take(me.intent);
  me.heard();
  return { me, room, client };
}

const answer = ({ me, client }: Call): void => {
  const { sdp, id } = me.last('offer');
  me.say({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: client.answer(sdp), id }) });
};

function single(): Call {
  const room = new TestRoom();
  const client = new TestClient(chromium);
  client.add('audio');
  const offer = new SessionDescription({ type: 'offer', sdp: client.offer(), id: 1 });
  const me = new TestSession(room, { request: { mode: 'single', offer } }).enter();
  me.connect();
  me.heard();
  return { me, room, client };
}

const lose = ({ me }: Call): void => me.input({ type: 'link-lost' });

const resume = ({ me }: Call, over: Partial<ConnectRequest> = {}): void =>
  me.input({
    type: 'resume',
    request: connectRequest({
      resume: { participant: me.session.participant, reason: 1, syncState: undefined },
      ...over,
    }),
  });

const credentials = ({ me }: Call): (string | undefined)[] =>
  [...me.specs.values()].map(({ localCredentials }) => localCredentials[0]?.usernameFragment);

test('resuming: first reconnect, then everyone, the room, and an offer with new credentials', () => {
  const call = dual();
  call.me.status({ lastDataSequence: 41 });
  call.me.status({ lastDataSequence: 17 });
  const before = credentials(call);
  lose(call);
  call.me.pass(20 * SECOND, 'silent');
  resume(call);
  assert.deepEqual(call.me.heard(), ['reconnect', 'update', 'roomUpdate', 'offer']);
  assert.equal(call.me.last('reconnect').lastMessageSeq, 41, 'a lower report is a late one');
  assert.equal(call.me.last('reconnect').serverInfo?.protocol, 17);
  assert.deepEqual(
    call.me
      .last('update')
      .participants.map(({ identity }) => identity)
      .sort(),
    ['b', 'me'],
  );
  assert.notDeepEqual(credentials(call), before);
  const ufrag = credentials(call)[0] ?? '';
  assert.ok(call.me.last('offer').sdp.includes(`a=ice-ufrag:${ufrag}`));
  assert.equal(call.me.tokens.length, 2);
  assert.equal(call.me.intent.left, undefined);
});

test('resuming: what happened meanwhile is told, goodbyes first, and nothing is offered to nobody', () => {
  const call = dual();
  lose(call);
  call.room.show(participantView('c', { tracks: [trackView('a2')] }));
  call.room.show(participantView('d'));
  call.room.show(
    participantView('b', { left: 'client-initiated', version: 2 }),
    participantView('d', { left: 'client-initiated', version: 2 }),
  );
  assert.deepEqual(call.me.heard(), []);
  assert.deepEqual(
    [...call.me.specs.values()].flatMap(({ outgoing }) => outgoing),
    [],
    'the node stops at once',
  );
  resume(call);
  assert.deepEqual(call.me.heard(), ['reconnect', 'update', 'update', 'roomUpdate', 'offer']);
  const updates = call.me.messages.filter((message) => message.case === 'update').slice(-2);
  const told = updates.map(
    (message) =>
      message.case === 'update' && message.value.participants.map(({ identity, state }) => [identity, state]),
  );
  assert.deepEqual(told[0], [
    ['b', ParticipantInfo_State.DISCONNECTED],
    ['d', ParticipantInfo_State.DISCONNECTED],
  ]);
  assert.deepEqual(Object.fromEntries(told[1] || []), {
    me: ParticipantInfo_State.ACTIVE,
    c: ParticipantInfo_State.ACTIVE,
  });
  assert.deepEqual(Object.values(call.me.last('offer').midToTrackId), ['TR_a2']);
});

test('resuming: whoever came back meanwhile under a newer sid is told of as the newer only', () => {
  const call = dual();
  call.room.show(participantView('b', { left: 'client-initiated', version: 2 }));
  lose(call);
  call.room.show(participantView('b', { participant: 'PA_b2' as never, joinedAtMs: 1_900_000_000_000 }));
  call.me.heard();
  resume(call);
  assert.deepEqual(call.me.heard(), ['reconnect', 'update', 'roomUpdate', 'offer']);
  assert.deepEqual(
    call.me
      .last('update')
      .participants.map(({ sid }) => sid)
      .sort(),
    ['PA_b2', 'PA_me'],
  );
});

test('resuming: in single mode the client restarts ICE and gets new credentials in the answer', () => {
  const call = single();
  const before = credentials(call);
  lose(call);
  call.room.show(participantView('b', { tracks: [trackView('a1')] }));
  resume(call, { mode: 'single' });
  assert.deepEqual(call.me.heard(), ['reconnect', 'update', 'roomUpdate']);
  call.client.restartIce();
  call.me.say({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp: call.client.offer(), id: 2 }) });
  assert.deepEqual(call.me.heard(), ['answer']);
  assert.notDeepEqual(credentials(call), before);
  assert.deepEqual(call.me.last('answer').midToTrackId, { '0': 'TR_a1' });
  const [spec] = [...call.me.specs.values()];
  assert.equal(spec?.localCredentials[1]?.usernameFragment, before[0], 'the old ones still work for a while');
});

test('resuming: a publisher connection restarts by the client’s offer', () => {
  const call = dual();
  call.client.add('data');
  const publish = (): void =>
    call.me.say({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp: call.client.offer(), id: 0 }) });
  publish();
  const [, before] = credentials(call);
  lose(call);
  resume(call);
  call.client.restartIce();
  publish();
  assert.notEqual(credentials(call)[1], before);
});

test('resuming: what the client believes of its subscriptions counts', () => {
  const call = dual();
  call.me.say({ case: 'subscription', value: new UpdateSubscription({ subscribe: false, trackSids: ['TR_a1'] }) });
  lose(call);
  resume(call);
  const state = new SyncState({
    subscription: new UpdateSubscription({ subscribe: false, trackSids: [] }),
    trackSidsDisabled: ['TR_a1'],
  });
  call.me.say({ case: 'syncState', value: state });
  answer(call);
  answer(call);
  assert.deepEqual(
    [...call.me.specs.values()][0]?.outgoing.map(({ track, paused }) => [track, paused]),
    [['TR_a1', true]],
  );
});

const published = (sid: string): TrackPublishedResponse =>
  new TrackPublishedResponse({ cid: 'x', track: new TrackInfo({ sid }) });

test('resuming: a client that publishes what nobody here knows must join anew', () => {
  const call = dual();
  call.me.say({ case: 'addTrack', value: new AddTrackRequest({ cid: 'a', type: TrackType.AUDIO }) });
  const mine = call.me.last('trackPublished').track?.sid ?? '';
  lose(call);
  resume(call);
  call.me.say({ case: 'syncState', value: new SyncState({ publishTracks: [published(mine)] }) });
  assert.equal(call.me.ended(), undefined);
  call.me.say({ case: 'syncState', value: new SyncState({ publishTracks: [published('TR_foreign')] }) });
  assert.equal(call.me.last('leave').action, LeaveRequest_Action.RECONNECT);
  assert.equal(call.me.ended()?.reason, 'state-mismatch');
});

test('resuming: it must be the same participant, in the same mode, with its transport whole', () => {
  const { me } = dual();
  const request = connectRequest();
  assert.equal(me.session.whyNotResume(request, testGrants('me')), undefined);
  assert.match(me.session.whyNotResume(request, testGrants('other')) ?? '', /another participant/);
  assert.match(me.session.whyNotResume(connectRequest({ mode: 'single' }), testGrants('me')) ?? '', /mode/);
  me.status({ state: 'closed', closeReason: 'consent-expired' });
  assert.match(me.session.whyNotResume(request, testGrants('me')) ?? '', /failed/);
  me.status({ state: 'connected' });
  assert.equal(me.session.whyNotResume(request, testGrants('me')), undefined);
});

test('away: a participant whose media is up may be without its socket for 120 s', () => {
  const call = dual();
  lose(call);
  call.me.pass(119 * SECOND, 'silent');
  assert.equal(call.me.ended(), undefined);
  call.me.pass(2 * SECOND, 'silent');
  assert.equal(call.me.ended()?.reason, 'signal-close');
  assert.equal(call.me.intent.left, 'signal-close');
  assert.equal(call.me.specs.size, 0);
});

test('away: a participant whose media was never up ends with its socket', () => {
  const me = new TestSession(new TestRoom()).enter();
  me.input({ type: 'link-lost' });
  assert.equal(me.intent.left, 'signal-close');
  assert.equal(me.specs.size, 0);
});

test('away: 5 s after its transport failed too it is over', () => {
  const call = dual();
  lose(call);
  call.me.status({ state: 'closed', closeReason: 'consent-expired' });
  call.me.pass(4.9 * SECOND, 'silent');
  assert.equal(call.me.ended(), undefined);
  call.me.pass(0.2 * SECOND, 'silent');
  assert.equal(call.me.intent.left, 'media-failure');
});

test('a transport that fails while the client is here makes it join anew, unless it recovers within 5 s', () => {
  const call = dual();
  call.me.status({ state: 'closed', closeReason: 'dtls-failed' });
  call.me.pass(3 * SECOND);
  call.me.status({ state: 'connected' });
  call.me.pass(10 * SECOND);
  assert.equal(call.me.ended(), undefined);
  call.me.status({ state: 'closed', closeReason: 'dropped' });
  call.me.pass(10 * SECOND);
  assert.equal(call.me.ended(), undefined, 'what was dropped was dropped by us');
  call.me.status({ state: 'closed', closeReason: 'sctp-failed' });
  call.me.pass(6 * SECOND);
  assert.equal(call.me.last('leave').action, LeaveRequest_Action.RECONNECT);
});

test('a client whose media does not come up within 60 s is out', () => {
  const me = new TestSession(new TestRoom(), { request: { mode: 'single' } }).enter();
  me.pass(61 * SECOND);
  assert.equal(me.last('leave').action, LeaveRequest_Action.DISCONNECT);
  assert.equal(me.ended()?.reason, 'connection-timeout');
});

test('a client that says nothing for 15 s loses its socket and may come back', () => {
  const call = dual();
  call.me.pass(14.9 * SECOND, 'silent');
  assert.equal(call.me.closedLinks, 0);
  call.me.pass(0.2 * SECOND, 'silent');
  assert.equal(call.me.closedLinks, 1);
  assert.equal(call.me.count('leave'), 0, 'a leave would end it');
  resume(call);
  assert.equal(call.me.count('reconnect'), 1);
  answer(call);
  call.me.pass(600 * SECOND);
  assert.equal(call.me.ended(), undefined);
});

test('the token is renewed every 5 min while the client is here', () => {
  const call = dual();
  assert.equal(call.me.tokens.length, 1);
  call.me.pass(601 * SECOND);
  assert.equal(call.me.tokens.length, 3);
  assert.equal(call.me.tokens[0]?.video?.canPublish, true);
});

type Scenario = SimulateScenario['scenario'];

const leaves: readonly [string, Scenario, LeaveRequest_Action, boolean][] = [
  ['node failure', { case: 'nodeFailure', value: true }, LeaveRequest_Action.RECONNECT, true],
  ['migration', { case: 'migration', value: true }, LeaveRequest_Action.RESUME, false],
  ['server leave', { case: 'serverLeave', value: true }, LeaveRequest_Action.DISCONNECT, true],
  ['full reconnect', { case: 'leaveRequestFullReconnect', value: true }, LeaveRequest_Action.RECONNECT, true],
];

for (const [name, scenario, action, over] of leaves) {
  test(`simulated: ${name} is a leave that says what to do`, () => {
    const call = dual();
    call.me.say({ case: 'simulate', value: new SimulateScenario({ scenario }) });
    assert.deepEqual(call.me.heard(), ['leave']);
    assert.equal(call.me.last('leave').action, action);
    assert.equal(call.me.closedLinks, 1);
    assert.equal(call.me.ended() !== undefined, over);
    if (!over) resume(call);
    if (!over) assert.equal(call.me.count('reconnect'), 1);
  });
}

test('simulated: everyone speaks, and stops', () => {
  const call = dual();
  call.me.say({ case: 'simulate', value: new SimulateScenario({ scenario: { case: 'speakerUpdate', value: 3 } }) });
  assert.deepEqual(
    call.me.last('speakersChanged').speakers.map(({ active }) => active),
    [true, true],
  );
  call.me.pass(4 * SECOND);
  assert.deepEqual(
    call.me.last('speakersChanged').speakers.map(({ active }) => active),
    [false, false],
  );
});

test('simulated: the next resume breaks off, before any message or after the first', () => {
  for (const [scenario, heard] of [
    ['disconnectSignalOnResumeNoMessages', []],
    ['disconnectSignalOnResume', ['reconnect', 'update', 'roomUpdate', 'offer']],
  ] as const) {
    const call = dual();
    call.me.say({ case: 'simulate', value: new SimulateScenario({ scenario: { case: scenario, value: true } }) });
    lose(call);
    resume(call);
    assert.deepEqual(call.me.heard(), heard);
    assert.equal(call.me.closedLinks, 1);
    resume(call);
    assert.deepEqual(call.me.heard(), ['reconnect', 'update', 'roomUpdate', 'offer']);
  }
});
