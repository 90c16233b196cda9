import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddTrackRequest,
  DisconnectReason,
  LeaveRequest,
  LeaveRequest_Action,
  Ping,
  PublishDataTrackRequest,
  RequestResponse_Reason,
  SubscriptionPermission,
  TrackPermission,
  TrackType,
  TrickleRequest,
  UpdateDataSubscription,
  UpdateParticipantMetadata,
} from '@livekit/protocol';
import type { LeaveReason } from '@sluice/contracts';
import { participantView, SECOND, TestRoom, TestSession, type TestSessionOptions } from './test-session.ts';

function enter(options: TestSessionOptions = {}): { me: TestSession; room: TestRoom } {
  const room = new TestRoom();
  const me = new TestSession(room, options).enter().connect();
  me.heard();
  return { me, room };
}

test('ending: a client that leaves is gone at once, with its specs', () => {
  const { me } = enter();
  me.say({ case: 'leave', value: new LeaveRequest({ reason: DisconnectReason.CLIENT_INITIATED }) });
  assert.equal(me.intent.left, 'client-initiated');
  assert.equal(me.specs.size, 0);
  assert.equal(me.closedLinks, 1);
  assert.deepEqual(me.heard(), []);
  me.say({ case: 'ping', value: 1n });
  me.input({ type: 'deadline' });
  assert.equal(me.messages.at(-1)?.case !== 'pong', true, 'nothing comes after the end');
  assert.equal(me.session.nextDeadlineUs(), undefined);
});

const shownOut: readonly [LeaveReason, DisconnectReason, LeaveRequest_Action][] = [
  ['duplicate-identity', DisconnectReason.DUPLICATE_IDENTITY, LeaveRequest_Action.DISCONNECT],
  ['participant-removed', DisconnectReason.PARTICIPANT_REMOVED, LeaveRequest_Action.DISCONNECT],
  ['room-deleted', DisconnectReason.ROOM_DELETED, LeaveRequest_Action.DISCONNECT],
  ['room-closed', DisconnectReason.ROOM_CLOSED, LeaveRequest_Action.DISCONNECT],
  ['signal-close', DisconnectReason.SIGNAL_CLOSE, LeaveRequest_Action.RECONNECT],
  ['state-mismatch', DisconnectReason.STATE_MISMATCH, LeaveRequest_Action.RECONNECT],
];

for (const [left, reason, action] of shownOut) {
  test(`ending: a participant that the room shows as left (${left}) is told so`, () => {
    const { me, room } = enter();
    room.take(me.intent, { left });
    assert.deepEqual(me.heard(), ['leave']);
    assert.deepEqual([me.last('leave').reason, me.last('leave').action], [reason, action]);
    assert.equal(me.intent.left, left);
    assert.equal(me.specs.size, 0);
  });
}

test('ending: a session that is away and has a newer one ends without a word', () => {
  const { me, room } = enter();
  me.input({ type: 'link-lost' });
  room.take(me.intent, { left: 'duplicate-identity' });
  assert.deepEqual(me.heard(), []);
  assert.equal(me.ended()?.reason, 'duplicate-identity');
});

test('ending: its own newer session is not mentioned to the older one', () => {
  const { me, room } = enter();
  room.show(participantView('me', { participant: 'PA_newer' as never, joinedAtMs: 1_900_000_000_000 }));
  assert.deepEqual(me.heard(), []);
});

test('ending: a room that ends, or loses sight of it, makes the client join anew', () => {
  for (const how of ['end', 'forget'] as const) {
    const { me, room } = enter();
    if (how === 'end') room.end();
    else room.forget('me');
    assert.equal(me.last('leave').action, LeaveRequest_Action.RECONNECT);
    assert.notEqual(me.intent.left, undefined);
  }
});

test('ending: a server that stops asks its clients to join anew', () => {
  const { me } = enter();
  me.input({ type: 'shutdown' });
  const { reason, action, canReconnect } = me.last('leave');
  assert.deepEqual(
    [reason, action, canReconnect],
    [DisconnectReason.SERVER_SHUTDOWN, LeaveRequest_Action.RECONNECT, true],
  );
});

test('requests: both forms of ping are answered', () => {
  const { me } = enter();
  me.say({ case: 'ping', value: 123n });
  assert.equal(typeof me.last('pong'), 'bigint');
  me.say({ case: 'pingReq', value: new Ping({ timestamp: 77n, rtt: 3n }) });
  assert.equal(me.last('pongResp').lastPingTimestamp, 77n);
});

const update = (over: object): UpdateParticipantMetadata => new UpdateParticipantMetadata({ requestId: 5, ...over });

test('requests: metadata is merged and confirmed; an empty attribute is deleted', () => {
  const { me } = enter();
  me.say({ case: 'updateMetadata', value: update({ name: 'New', metadata: 'm', attributes: { a: '1', b: '2' } }) });
  assert.deepEqual(
    [me.last('requestResponse').requestId, me.last('requestResponse').reason],
    [5, RequestResponse_Reason.OK],
  );
  me.say({ case: 'updateMetadata', value: update({ attributes: { a: '' } }) });
  assert.deepEqual([me.intent.name, me.intent.metadata, me.intent.attributes], ['New', 'm', { b: '2' }]);
});

test('requests: metadata needs the right, and has a bound', () => {
  const mayNot = enter({ permissions: { canUpdateMetadata: false } }).me;
  mayNot.say({ case: 'updateMetadata', value: update({ name: 'x' }) });
  assert.equal(mayNot.last('requestResponse').reason, RequestResponse_Reason.NOT_ALLOWED);
  const { me } = enter();
  for (const over of [
    { metadata: 'é'.repeat(600) },
    { attributes: { k: 'x'.repeat(1001) } },
    { name: 'x'.repeat(257) },
  ]) {
    me.say({ case: 'updateMetadata', value: update(over) });
    assert.equal(me.last('requestResponse').reason, RequestResponse_Reason.LIMIT_EXCEEDED);
  }
  assert.equal(me.intent.metadata, '');
});

test('requests: who may subscribe is said to the room', () => {
  const { me } = enter();
  const trackPermissions = [new TrackPermission({ participantIdentity: 'b', trackSids: ['TR_x'] })];
  me.say({
    case: 'subscriptionPermission',
    value: new SubscriptionPermission({ allParticipants: false, trackPermissions }),
  });
  assert.deepEqual(me.intent.subscriptionPermission, {
    allParticipants: false,
    trackPermissions: [{ participant: '', identity: 'b', allTracks: false, tracks: ['TR_x'] }],
  });
});

test('requests: data tracks are refused and nothing else happens', () => {
  const { me } = enter();
  const value = new PublishDataTrackRequest({ pubHandle: 9, name: 'telemetry' });
  me.say({ case: 'publishDataTrackRequest', value });
  const { reason, request } = me.last('requestResponse');
  assert.equal(reason, RequestResponse_Reason.UNSUPPORTED_TYPE);
  assert.equal(request.case === 'publishDataTrack' && request.value.pubHandle, 9);
  me.say({ case: 'updateDataSubscription', value: new UpdateDataSubscription() });
  assert.equal(me.count('requestResponse'), 2);
  assert.equal(me.ended(), undefined);
});

test('requests: candidates of clients are of no use, and messages from the future are passed over', () => {
  const { me } = enter();
  me.say({ case: 'trickle', value: new TrickleRequest({ candidateInit: '{{{', final: true }) });
  me.say({ case: undefined });
  assert.deepEqual(me.heard(), []);
  assert.equal(me.ended(), undefined);
});

test('requests: a client that says too much is refused and slowed down, not ended; pings still pass', () => {
  const { me } = enter();
  const value = new AddTrackRequest({ cid: '', type: TrackType.AUDIO });
  for (let n = 0; n < 100; n++) me.say({ case: 'addTrack', value });
  assert.equal(me.pausedUs, 0);
  me.say({ case: 'addTrack', value });
  assert.equal(me.last('requestResponse').reason, RequestResponse_Reason.LIMIT_EXCEEDED);
  assert.ok(me.pausedUs > 0);
  me.say({ case: 'ping', value: 1n });
  assert.equal(me.messages.at(-1)?.case, 'pong');
  me.pass(1 * SECOND);
  me.say({ case: 'addTrack', value });
  assert.equal(me.last('requestResponse').reason, RequestResponse_Reason.INVALID_REQUEST, 'within the rate again');
  assert.equal(me.ended(), undefined);
});

test('requests: a frame that is no message ends the session with a reason', () => {
  const { me } = enter();
  me.input({ type: 'malformed', what: 'not-protobuf' });
  assert.deepEqual(
    [me.last('leave').reason, me.last('leave').action],
    [DisconnectReason.STATE_MISMATCH, LeaveRequest_Action.DISCONNECT],
  );
  assert.equal(me.specs.size, 0);
});

test('the participant is active once its primary connection is up, and speaks as loud as its loudest track', () => {
  const room = new TestRoom();
  const me = new TestSession(room).enter();
  assert.equal(me.intent.active, false);
  me.status({ state: 'landed' });
  me.status({ state: 'connected' }, 1);
  assert.equal(me.intent.active, false, 'the publisher connection is not the primary one');
  me.status({ state: 'connected' });
  assert.equal(me.intent.active, true);
  const audio = (level: number, active: boolean, track: string) => ({ track: `TR_${track}` as never, active, level });
  me.status({ audio: [audio(0.2, true, 'a'), audio(0.7, true, 'b'), audio(0.9, false, 'c')] }, 1);
  assert.deepEqual(me.intent.speaking, { active: true, level: 0.7 });
  me.status({ audio: [] }, 1);
  assert.deepEqual(me.intent.speaking, { active: false, level: 0 });
});

test('the participant remembers the room it is in for controllers to come', () => {
  const { me } = enter();
  assert.equal(me.intent.known?.room, 'RM_room');
});
