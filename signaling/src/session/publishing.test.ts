import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AddTrackRequest,
  AudioTrackFeature,
  LeaveRequest_Action,
  MuteTrackRequest,
  RequestResponse_Reason,
  SessionDescription,
  SimulcastCodec,
  TrackSource,
  TrackType,
  UpdateLocalAudioTrack,
  UpdateLocalVideoTrack,
  VideoLayer,
  VideoQuality,
} from '@livekit/protocol';
import { seededRandom } from '@sluice/runtime';
import { readTestDescription } from '@sluice/sdp/internal';
import { TestClient } from '../negotiation/test-client.ts';
import { Publishing } from './publishing.ts';
import { allowed, SECOND, TestRoom, TestSession, type TestSessionOptions } from './test-session.ts';

const chromium = readTestDescription('chromium-send-and-receive');

const enter = (options: TestSessionOptions = {}): { me: TestSession; room: TestRoom; client: TestClient } => {
  const room = new TestRoom();
  const me = new TestSession(room, { ...options, request: { mode: 'single', ...options.request } }).enter();
  me.heard();
  return { me, room, client: new TestClient(chromium) };
};

const audio = (cid: string, over: object = {}): AddTrackRequest =>
  new AddTrackRequest({ cid, type: TrackType.AUDIO, source: TrackSource.MICROPHONE, ...over });

const video = (cid: string, over: object = {}): AddTrackRequest =>
  new AddTrackRequest({ cid, type: TrackType.VIDEO, source: TrackSource.CAMERA, width: 1280, height: 720, ...over });

const offer = (me: TestSession, client: TestClient, id = 0): void =>
  me.say({ case: 'offer', value: new SessionDescription({ type: 'offer', sdp: client.offer(), id }) });

test('publishing: an announcement is answered at once, and the room hears of the track with its SDP', () => {
  const { me, client } = enter();
  me.say({
    case: 'addTrack',
    value: video('v-cam', { name: 'cam', simulcastCodecs: [new SimulcastCodec({ codec: 'vp8', cid: 'v-cam' })] }),
  });
  assert.deepEqual(me.heard(), ['trackPublished']);
  const { cid, track } = me.last('trackPublished');
  assert.equal(cid, 'v-cam');
  assert.match(track?.sid ?? '', /^TR_VC[0-9A-Za-z]{12}$/);
  assert.deepEqual([track?.name, track?.mimeType, track?.width, track?.height], ['cam', 'video/VP8', 1280, 720]);
  assert.deepEqual(
    track?.codecs.map(({ mimeType }) => mimeType),
    ['video/VP8'],
  );
  assert.equal(me.intent.tracks.length, 0);
  client.send('v-cam');
  offer(me, client);
  assert.deepEqual(me.heard(), ['answer']);
  assert.deepEqual(
    me.intent.tracks.map((view) => [view.track, view.mimeType]),
    [[track?.sid, 'video/VP8']],
  );
  assert.deepEqual(
    [...me.specs.values()].at(-1)?.incoming.map((incoming) => incoming.track),
    [track?.sid],
  );
});

test('publishing: an unknown codec is substituted in the answer, a known one is confirmed', () => {
  const { me } = enter();
  const ask = (codec: string): string => {
    me.say({ case: 'addTrack', value: video(`v-${codec}`, { simulcastCodecs: [new SimulcastCodec({ codec })] }) });
    return me.last('trackPublished').track?.mimeType ?? '';
  };
  assert.deepEqual(['vp9', 'AV1', 'video/h264', 'theora'].map(ask), [
    'video/VP9',
    'video/AV1',
    'video/H264',
    'video/VP8',
  ]);
});

test('publishing: the same announcement again gets the same track', () => {
  const { me } = enter();
  me.say({ case: 'addTrack', value: audio('a') });
  const first = me.last('trackPublished').track?.sid;
  me.say({ case: 'addTrack', value: audio('a') });
  assert.equal(me.last('trackPublished').track?.sid, first);
});

test('publishing: a section that stops sending unpublishes; the same cid can be published anew', () => {
  const { me, client } = enter();
  me.say({ case: 'addTrack', value: audio('a') });
  const mid = client.send('a');
  offer(me, client);
  const first = me.intent.tracks[0]?.track;
  // Published again before the old one is gone: both changes come in one offer.
  me.say({ case: 'addTrack', value: audio('a') });
  client.section(mid).direction = 'inactive';
  client.send('a');
  offer(me, client);
  assert.equal(me.intent.tracks.length, 1);
  assert.notEqual(me.intent.tracks[0]?.track, first);
  const { direction } = client.section(mid);
  assert.equal(direction, 'inactive');
  for (const section of client.sections) section.direction = 'inactive';
  offer(me, client);
  assert.equal(me.intent.tracks.length, 0);
  assert.equal(me.count('trackUnpublished'), 0, 'clients know what they unpublished themselves');
});

test('publishing: mute, features and dimensions change what the room shows, before and after the SDP', () => {
  const { me, client } = enter();
  me.say({ case: 'addTrack', value: audio('a', { muted: true }) });
  const sid = me.last('trackPublished').track?.sid ?? '';
  me.say({ case: 'mute', value: new MuteTrackRequest({ sid, muted: false }) });
  client.send('a');
  offer(me, client);
  assert.equal(me.intent.tracks[0]?.muted, false);
  const said = me.intents.length;
  me.say({ case: 'mute', value: new MuteTrackRequest({ sid, muted: false }) });
  assert.equal(me.intents.length, said, 'nothing changed, nothing is said');
  me.say({ case: 'mute', value: new MuteTrackRequest({ sid, muted: true }) });
  assert.equal(me.intent.tracks[0]?.muted, true);
  const features = [AudioTrackFeature.TF_NOISE_SUPPRESSION];
  me.say({ case: 'updateAudioTrack', value: new UpdateLocalAudioTrack({ trackSid: sid, features }) });
  assert.deepEqual(me.intent.tracks[0]?.audioFeatures, features);
  me.say({ case: 'updateVideoTrack', value: new UpdateLocalVideoTrack({ trackSid: sid, width: 4, height: 3 }) });
  assert.deepEqual([me.intent.tracks[0]?.widthPx, me.intent.tracks[0]?.heightPx], [4, 3]);
  assert.equal(me.count('requestResponse'), 0);
});

test('publishing: changes to a track that nobody has are refused with an echo', () => {
  const { me } = enter();
  me.say({ case: 'mute', value: new MuteTrackRequest({ sid: 'TR_no', muted: true }) });
  const { reason, request } = me.last('requestResponse');
  assert.equal(reason, RequestResponse_Reason.NOT_FOUND);
  assert.equal(request.case === 'mute' && request.value.sid, 'TR_no');
});

const refusals: readonly [string, AddTrackRequest, TestSessionOptions, RequestResponse_Reason][] = [
  [
    'without the right to publish',
    audio('a'),
    { permissions: { canPublish: false } },
    RequestResponse_Reason.NOT_ALLOWED,
  ],
  [
    'from a source that is not allowed',
    audio('a'),
    { permissions: { canPublishSources: ['camera'] } },
    RequestResponse_Reason.NOT_ALLOWED,
  ],
  ['of data', new AddTrackRequest({ cid: 'd', type: TrackType.DATA }), {}, RequestResponse_Reason.UNSUPPORTED_TYPE],
  ['of a backup codec', video('v', { sid: 'TR_x' }), {}, RequestResponse_Reason.UNSUPPORTED_TYPE],
  ['without a cid', audio(''), {}, RequestResponse_Reason.INVALID_REQUEST],
  ['with an endless name', audio('a', { name: 'x'.repeat(257) }), {}, RequestResponse_Reason.INVALID_REQUEST],
];

for (const [what, request, options, reason] of refusals) {
  test(`publishing: an announcement ${what} is refused with its echo`, () => {
    const { me } = enter(options);
    me.say({ case: 'addTrack', value: request });
    assert.deepEqual(me.heard(), ['requestResponse']);
    const response = me.last('requestResponse');
    assert.equal(response.reason, reason);
    assert.equal(response.request.case === 'addTrack' && response.request.value.cid, request.cid);
    assert.equal(me.ended(), undefined);
  });
}

test('publishing: announcements have a bound, and those that no offer follows are forgotten', () => {
  const { me } = enter();
  for (const cid of ['a1', 'a2', 'a3', 'a4']) me.say({ case: 'addTrack', value: audio(cid) });
  me.say({ case: 'addTrack', value: audio('a5') });
  assert.equal(me.last('requestResponse').reason, RequestResponse_Reason.LIMIT_EXCEEDED);
  me.connect().pass(61 * SECOND);
  me.say({ case: 'addTrack', value: audio('a5') });
  assert.equal(me.last('trackPublished').cid, 'a5');
});

test('publishing: layers are those that the SDP sends', () => {
  const { me, client } = enter();
  const layer = (quality: VideoQuality, rid: string, width: number): VideoLayer =>
    new VideoLayer({ quality, rid, width, height: 90 });
  const layers = [
    layer(VideoQuality.LOW, 'q', 160),
    layer(VideoQuality.HIGH, 'h', 320),
    layer(VideoQuality.OFF, 'f', 640),
  ];
  me.say({ case: 'addTrack', value: video('v', { layers }) });
  client.send('v');
  offer(me, client);
  const [track] = me.intent.tracks;
  assert.equal(track?.simulcast, false, 'one stream, whatever was announced');
  assert.deepEqual(
    track?.layers.map(({ quality, widthPx }) => [quality, widthPx]),
    [
      ['low', 160],
      ['high', 320],
    ],
  );
});

test('publishing: rights that the room takes away end what stands against them', () => {
  const { me, room, client } = enter();
  for (const [cid, request] of [
    ['a', audio('a')],
    ['v', video('v')],
  ] as const) {
    me.say({ case: 'addTrack', value: request });
    client.send(cid);
  }
  offer(me, client);
  me.heard();
  const camera = me.intent.tracks.find(({ source }) => source === 'camera')?.track;
  room.take(me.intent, { permissions: { ...allowed, canPublishSources: ['microphone'], canPublishData: false } });
  assert.deepEqual(me.heard(), ['trackUnpublished', 'update']);
  assert.equal(me.last('trackUnpublished').trackSid, camera);
  assert.deepEqual(
    me.intent.tracks.map(({ source }) => source),
    ['microphone'],
  );
  assert.deepEqual(me.intent.permissions.canPublishSources, ['microphone']);
  assert.equal([...me.specs.values()][0]?.incoming.length, 1);
  assert.equal(me.last('update').participants[0]?.permission?.canPublishData, false);
});

test('publishing: an offer whose sections changed kind makes the client join anew', () => {
  const { me, client } = enter();
  client.add('audio');
  offer(me, client);
  const other = new TestClient(chromium);
  other.add('video');
  offer(me, other);
  assert.equal(me.last('leave').action, LeaveRequest_Action.RECONNECT);
  assert.equal(me.ended()?.reason, 'state-mismatch');
});

test('publishing: an answer in single mode answers nothing and harms nothing', () => {
  const { me } = enter();
  me.say({ case: 'answer', value: new SessionDescription({ type: 'answer', sdp: 'x', id: 3 }) });
  assert.deepEqual(me.heard(), []);
  assert.equal(me.ended(), undefined);
});

test('publishing: the first subscriber, wherever it is, is told to the publisher, and none after it', () => {
  const { me, room, client } = enter();
  me.say({ case: 'addTrack', value: audio('a-mic') });
  client.send('a-mic');
  offer(me, client);
  room.take(me.intent);
  const track = me.intent.tracks[0]?.track;
  assert.ok(track !== undefined);
  me.heard();
  room.take(me.intent, { wanted: [{ track, quality: 'off' }] });
  assert.equal(me.last('trackSubscribed').trackSid, track);
  room.take(me.intent);
  room.take(me.intent, { wanted: [{ track, quality: 'high' }] });
  assert.equal(me.count('trackSubscribed'), 1);
});

test('publishing: layers that name no stream go with the streams of the SDP, the lowest first', () => {
  const carried = (qualities: VideoQuality[], rids: string[]): string[] => {
    const publishing = new Publishing(seededRandom(1), 4);
    const layers = qualities.map((quality) => new VideoLayer({ quality, width: 320 * 2 ** quality }));
    const announced = publishing.announce(video('v-cam', { layers }), allowed, 0);
    assert.ok(announced.ok);
    const { track } = announced.track.view;
    const published = [{ track, kind: 'video' as const, mid: '0', mimeType: 'video/VP8', rids }];
    publishing.settle({ published, unpublished: [], unpublishable: [] });
    return (publishing.tracks[0]?.layers ?? []).map(({ quality, rid }) => `${quality} ${rid}`);
  };
  const { LOW, MEDIUM, HIGH } = VideoQuality;
  assert.deepEqual(carried([LOW, MEDIUM, HIGH], ['q', 'h', 'f']), ['low q', 'medium h', 'high f']);
  assert.deepEqual(carried([LOW, MEDIUM], ['h', 'q']), ['low q', 'medium h'], 'as some browsers order them');
  assert.deepEqual(carried([HIGH, LOW], ['a', 'b']), ['low a', 'high b']);
  assert.deepEqual(carried([HIGH, MEDIUM, LOW], []), ['high ', 'medium ', 'low '], 'all in one stream');
});
