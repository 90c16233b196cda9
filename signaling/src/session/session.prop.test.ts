import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddTrackRequest,
  LeaveRequest,
  MuteTrackRequest,
  SessionDescription,
  SignalRequest,
  SimulateScenario,
  SubscriptionPermission,
  SyncState,
  TrackInfo,
  TrackPublishedResponse,
  UpdateParticipantMetadata,
  UpdateSubscription,
  UpdateTrackSettings,
} from '@livekit/protocol';
import type { TrackId } from '@sluice/contracts';
import { readTestDescription } from '@sluice/sdp/internal';
import fc from 'fast-check';
import type { ClientMessage } from '../messages/wire.ts';
import { TestClient } from '../negotiation/test-client.ts';
import { connectRequest, participantView, SECOND, TestRoom, TestSession, trackView } from './test-session.ts';

const chromium = readTestDescription('chromium-send-and-receive');

/** Anything a client may say, sensible or not, in any order. */

const sid = fc.constantFrom('TR_a1', 'TR_v1', 'TR_', '', '__proto__', 'PA_me', 'x'.repeat(5000));
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom('', '__proto__', 'x'.repeat(3000), '\u0000\ud800'));

const goodOffer = (() => {
  const client = new TestClient(chromium);
  for (const kind of ['audio', 'video', 'data'] as const) client.add(kind);
  client.send('a-mic');
  return client.offer();
})();

/** A real description with one piece cut out, doubled or replaced. */
const mutatedSdp = fc
  .tuple(
    fc.nat(goodOffer.length),
    fc.nat(200),
    fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('', '\r\nm=audio 9 RTP/AVP 0\r\n', 'a=mid:0\r\n')),
  )
  .map(([at, length, insert]) => goodOffer.slice(0, at) + insert + goodOffer.slice(at + length));

const description = fc
  .record({
    sdp: fc.oneof(text, mutatedSdp, fc.constant(goodOffer)),
    id: fc.nat(3),
    type: fc.constantFrom('offer', 'answer', 'pranswer'),
  })
  .map((fields) => new SessionDescription(fields));

const known: fc.Arbitrary<ClientMessage> = fc.oneof(
  description.map((value) => ({ case: 'offer' as const, value })),
  description.map((value) => ({ case: 'answer' as const, value })),
  fc
    .record({
      cid: fc.constantFrom('', 'a-mic', 'x'),
      type: fc.nat(3),
      source: fc.nat(9),
      name: text,
      stream: text,
      sid: fc.constantFrom('', 'TR_x'),
    })
    .map((fields) => ({ case: 'addTrack' as const, value: new AddTrackRequest(fields) })),
  fc
    .record({ sid, muted: fc.boolean() })
    .map((fields) => ({ case: 'mute' as const, value: new MuteTrackRequest(fields) })),
  fc
    .record({ trackSids: fc.array(sid, { maxLength: 30 }), subscribe: fc.boolean() })
    .map((fields) => ({ case: 'subscription' as const, value: new UpdateSubscription(fields) })),
  fc
    .record({
      trackSids: fc.array(sid),
      disabled: fc.boolean(),
      quality: fc.nat(5),
      width: fc.nat(),
      height: fc.nat(),
      fps: fc.nat(),
      priority: fc.nat(),
    })
    .map((fields) => ({ case: 'trackSetting' as const, value: new UpdateTrackSettings(fields) })),
  fc
    .record({ name: text, metadata: text, attributes: fc.dictionary(text, text), requestId: fc.nat() })
    .map((fields) => ({ case: 'updateMetadata' as const, value: new UpdateParticipantMetadata(fields) })),
  fc
    .record({ allParticipants: fc.boolean() })
    .map((fields) => ({ case: 'subscriptionPermission' as const, value: new SubscriptionPermission(fields) })),
  sid.map((track) => ({
    case: 'syncState' as const,
    value: new SyncState({
      publishTracks: [new TrackPublishedResponse({ track: new TrackInfo({ sid: track }) })],
      trackSidsDisabled: [track],
    }),
  })),
  fc.nat(9).map((value) => ({
    case: 'simulate' as const,
    value: new SimulateScenario({
      scenario: { case: value < 5 ? 'disconnectSignalOnResume' : 'migration', value: true },
    }),
  })),
  fc.constant({ case: 'leave' as const, value: new LeaveRequest() }),
  fc.constant({ case: 'ping' as const, value: -1n }),
);

/** Whatever protobuf makes of noise. */
const noise: fc.Arbitrary<ClientMessage> = fc.uint8Array({ maxLength: 60 }).map((bytes) => {
  try {
    return SignalRequest.fromBinary(bytes).message;
  } catch {
    return { case: undefined };
  }
});

type Act = (me: TestSession, room: TestRoom) => void;

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.oneof(known, noise).map(
      (message): Act =>
        (me) =>
          me.say(message),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(70).map(
      (s): Act =>
        (me) =>
          me.pass(s * SECOND, s % 2 === 0 ? 'pings' : 'silent'),
    ),
  },
  fc.constant((me: TestSession) => me.input({ type: 'link-lost' })),
  fc.constant((me: TestSession) => {
    const resume = { participant: me.session.participant, reason: 0, syncState: undefined };
    if (me.session.whyNotResume(me.request, me.grants) === undefined)
      me.input({ type: 'resume', request: connectRequest({ resume }) });
  }),
  fc.constantFrom('landed' as const, 'connected' as const, 'closed' as const).map(
    (state): Act =>
      (me) => {
        const quality = { quality: state === 'landed' ? ('lost' as const) : ('good' as const), score: 3 };
        if (me.session.sessions.length > 0) me.status({ state, quality, pausedTracks: ['TR_v1' as TrackId] });
      },
  ),
  fc.tuple(fc.nat(9), fc.boolean()).map(
    ([version, there]): Act =>
      (me, room) => {
        const connection = { quality: 'poor' as const, score: version };
        const wanted = me.intent.tracks.map(({ track }) => ({ track, quality: 'low' as const }));
        if (me.intent.left === undefined) room.take(me.intent, { wanted, connection });
        const left = there ? {} : { left: 'client-initiated' as const };
        room.show(participantView('b', { version: version + 1, tracks: [trackView('a1'), trackView('v1')], ...left }));
      },
  ),
  fc.constant((me: TestSession, room: TestRoom) => room.take(me.intent)),
);

for (const mode of ['dual', 'single'] as const) {
  test(`session: whatever a ${mode} client says and whenever it goes, nothing breaks and nothing stays`, () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), fc.nat(), (acts, seed) => {
        const room = new TestRoom();
        const me = new TestSession(room, { seed, request: { mode } }).enter();
        for (const each of acts) each(me, room);
        me.input({ type: 'shutdown' });
        assert.equal(me.events.filter(({ type }) => type === 'ended').length, 1);
        assert.equal(me.specs.size, 0);
        assert.notEqual(me.intent.left, undefined);
        assert.equal(me.session.nextDeadlineUs(), undefined);
      }),
      { numRuns: 300 },
    );
  });
}
