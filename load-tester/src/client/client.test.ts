import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  DataPacket,
  DataPacket_Kind,
  JoinRequest,
  ParticipantInfo,
  ParticipantInfo_State,
  TrackInfo,
  TrackType,
  UserPacket,
  WrappedJoinRequest,
} from '@livekit/protocol';
import { seededRandom } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import { parseDescription, type RtpSection, writeDescription } from '@sluice/sdp';
import { connectTarget } from './connect-url.ts';
import { DataMessages } from './data-messages.ts';
import { LocalEnd } from './local-end.ts';
import type { PeerPort } from './ports.ts';
import { Publication } from './publication.ts';
import { Reconnecting } from './reconnecting.ts';
import { readRemoteEnd } from './remote-end.ts';
import { Roster } from './roster.ts';

const fingerprint = { algorithm: 'sha-256', value: Array(32).fill('AB').join(':') };
const localEnd = (): LocalEnd => new LocalEnd({ random: seededRandom(1), fingerprint });

function sectionsOf(sdp: string) {
  const parsed = parseDescription(sdp);
  assert.ok(parsed.ok);
  return parsed.description.sections;
}

test('local end: an offer says what is sent by SSRC, and layers by RID', () => {
  const local = localEnd();
  const plain = new Publication({ kind: 'video' }, seededRandom(2));
  const layered = new Publication({ kind: 'video', simulcast: true }, seededRandom(3));
  local.addReceiving('audio');
  local.addData();
  local.addSending(plain);
  local.addSending(layered);
  const [receiving, data, one, three] = sectionsOf(local.offer()) as RtpSection[];
  assert.deepEqual([receiving?.direction, data?.type, one?.direction], ['recvonly', 'data', 'sendonly']);
  assert.deepEqual(one?.sourceGroups, [{ semantics: 'FID', ssrcs: [plain.layers[0]?.ssrc, plain.layers[0]?.rtxSsrc] }]);
  assert.deepEqual(
    one?.msids.map(({ track }) => track),
    [plain.cid],
  );
  assert.deepEqual(
    three?.rids.map(({ id }) => id),
    ['q', 'h', 'f'],
  );
  assert.deepEqual(three?.sources, []);
  local.endSending(plain);
  const later = sectionsOf(local.offer())[2] as RtpSection;
  assert.deepEqual([later.mid, later.direction, later.sources], ['2', 'inactive', []]);
});

test('local end: an ICE restart changes the credentials of every section, and nothing else does', () => {
  const local = localEnd();
  local.addData();
  local.addReceiving('video');
  const fragments = (): (string | undefined)[] =>
    sectionsOf(local.offer()).map(({ transport }) => transport.ice?.usernameFragment);
  const before = fragments();
  assert.equal(new Set(before).size, 1);
  assert.deepEqual(fragments(), before);
  local.restartIce();
  assert.notDeepEqual(fragments(), before);
});

test('remote end: what an offer of the other side says is read, and answered with what both have', () => {
  const other = localEnd();
  const publication = new Publication({ kind: 'video' }, seededRandom(4));
  other.addSending(publication);
  const read = readRemoteEnd(other.offer());
  assert.ok(read.ok);
  const section = read.remote.sections.get('0');
  assert.deepEqual(section?.stream, {
    ssrc: publication.layers[0]?.ssrc,
    rtxSsrc: publication.layers[0]?.rtxSsrc,
    track: publication.cid,
  });
  assert.deepEqual(section?.codecs, [
    { payloadType: 96, codec: 'vp8', clockRateHz: 90_000, rtxPayloadType: 97, profile: '' },
  ]);
  assert.deepEqual([section?.nack, section?.transportCc], [true, true]);
  assert.equal(read.remote.dtlsRole, 'either');
  const [answer] = sectionsOf(localEnd().answer(read.remote.description)) as RtpSection[];
  assert.deepEqual([answer?.direction, answer?.transport.setup], ['recvonly', 'active']);
  assert.deepEqual(
    answer?.codecs.map(({ payloadType }) => payloadType),
    [96, 97],
  );
});

test('remote end: what cannot be used is a value, whatever it is', () => {
  const other = localEnd();
  other.addData();
  const parsed = parseDescription(other.offer());
  assert.ok(parsed.ok);
  const [data] = parsed.description.sections;
  assert.ok(data);
  const { transport } = data;
  const without = (over: Partial<typeof transport>): string =>
    writeDescription({ ...parsed.description, sections: [{ ...data, transport: { ...transport, ...over } }] });
  assert.deepEqual(readRemoteEnd(without({ ice: undefined })), { ok: false, what: 'no transport' });
  assert.deepEqual(readRemoteEnd(without({ fingerprints: [] })), { ok: false, what: 'no fingerprint' });
  for (const sdp of ['', 'v=0', 'nonsense\r\n']) assert.equal(readRemoteEnd(sdp).ok, false);
});

test('connect url: both forms say who wants in, how, and whether it was here before', () => {
  const wish = { token: 't', autoSubscribe: false, resume: { participant: 'PA_x', reason: 1 }, offer: undefined };
  const dual = connectTarget({ ...wish, mode: 'dual' });
  assert.equal(dual.path, '/rtc');
  assert.deepEqual(
    [dual.query.get('sid'), dual.query.get('reconnect'), dual.query.get('auto_subscribe')],
    ['PA_x', '1', '0'],
  );
  const single = connectTarget({ ...wish, mode: 'single' });
  assert.equal(single.path, '/rtc/v1');
  const wrapped = WrappedJoinRequest.fromBinary(Buffer.from(single.query.get('join_request') ?? '', 'base64url'));
  const join = JoinRequest.fromBinary(gunzipSync(wrapped.joinRequest));
  assert.deepEqual(
    [join.participantSid, join.reconnect, join.connectionSettings?.autoSubscribe],
    ['PA_x', true, false],
  );
});

const info = (identity: string, sid: string, version: number, over: Partial<ParticipantInfo> = {}): ParticipantInfo =>
  new ParticipantInfo({ identity, sid, version, state: ParticipantInfo_State.ACTIVE, ...over });
const me = { sid: 'PA_me', identity: 'me' };

test('roster: knows the others as SDKs do: by identity, the newer version, until a goodbye', () => {
  const roster = new Roster();
  const tracks = [new TrackInfo({ sid: 'TR_1', type: TrackType.VIDEO, muted: true })];
  roster.update([info('ann', 'PA_1', 5, { tracks }), info('me', 'PA_me', 1)], me);
  assert.deepEqual(roster.identities, ['ann']);
  assert.deepEqual(roster.tracks(), [
    { track: 'TR_1', kind: 'video', muted: true, participant: 'PA_1', identity: 'ann' },
  ]);
  roster.update([info('ann', 'PA_1', 4)], me);
  assert.equal(roster.find('TR_1')?.identity, 'ann');
  roster.update([info('ann', 'PA_2', 1)], me);
  assert.equal(roster.find('TR_1'), undefined);
  roster.update([info('ann', 'PA_2', 2, { state: ParticipantInfo_State.DISCONNECTED })], me);
  assert.deepEqual(roster.identities, []);
});

function channel(): { peer: PeerPort; sent: DataPacket[]; full: { is: boolean } } {
  const sent: DataPacket[] = [];
  const full = { is: false };
  const send: PeerPort['send'] = (_, __, bytes) => {
    if (full.is) return 'buffer-full';
    sent.push(DataPacket.fromBinary(bytes));
    return 'ok';
  };
  const nothing = (): undefined => undefined;
  return {
    peer: { send, restart: nothing, setMedia: nothing, report: nothing, close: nothing, vanish: nothing },
    sent,
    full,
  };
}

const opened = (label: string) =>
  ({ type: 'channel-opened', streamId: 1, label, protocol: '', ordered: true }) as const;
const numbers = (packets: readonly DataPacket[]): number[] => packets.map(({ sequence }) => sequence);

test('data: reliable messages wait for their channel, are numbered, and are sent again from where the server is', () => {
  const data = new DataMessages();
  const { peer, sent, full } = channel();
  data.attach(peer);
  for (let i = 0; i < 3; i++) data.send(new Uint8Array(1), 'reliable', [], '');
  assert.equal(data.waiting, 3);
  data.opened(opened('_reliable'));
  assert.deepEqual(numbers(sent), [1, 2, 3]);
  full.is = true;
  data.send(new Uint8Array(1), 'reliable', [], '');
  assert.equal(data.waiting, 1);
  full.is = false;
  data.flush();
  assert.deepEqual(numbers(sent), [1, 2, 3, 4]);
  data.resumeFrom(2);
  assert.deepEqual(numbers(sent), [1, 2, 3, 4, 3, 4]);
  data.send(new Uint8Array(1), 'lossy', [], '');
  assert.equal(data.dropped, 1);
});

test('data: what comes twice is told once, sender by sender', () => {
  const data = new DataMessages();
  const message = (participantSid: string, sequence: number): Uint8Array =>
    new DataPacket({
      kind: DataPacket_Kind.RELIABLE,
      participantSid,
      participantIdentity: 'ann',
      sequence,
      value: { case: 'user', value: new UserPacket({ payload: Uint8Array.of(sequence) }) },
    }).toBinary();
  assert.equal(data.received(message('PA_1', 1))?.payload[0], 1);
  assert.equal(data.received(message('PA_1', 2))?.how, 'reliable');
  assert.equal(data.received(message('PA_1', 2)), undefined);
  assert.ok(data.received(message('PA_2', 1)));
  assert.equal(data.duplicates, 1);
  assert.deepEqual(
    data.receiveStates().map(({ publisherSid, lastSeq }) => [publisherSid, lastSeq]),
    [
      ['PA_1', 2],
      ['PA_2', 1],
    ],
  );
});

test('reconnecting: waits longer each time, gives up after ten, and begins anew after success', () => {
  const clock = new VirtualClock(0);
  const reconnecting = new Reconnecting({ clock, random: seededRandom(1) });
  const waitedMs: number[] = [];
  const attempt = (): boolean => {
    const fromUs = clock.nowUs();
    const planned = reconnecting.plan('resume', () => waitedMs.push((clock.nowUs() - fromUs) / 1000));
    clock.advance(11_000_000);
    return planned;
  };
  for (let i = 0; i < 10; i++) assert.ok(attempt());
  assert.ok((waitedMs[0] ?? 0) <= 500);
  assert.ok((waitedMs[9] ?? 0) >= 3_500 && (waitedMs[9] ?? 0) <= 10_500);
  assert.equal(attempt(), false);
  reconnecting.succeeded();
  assert.ok(attempt());
  assert.equal(reconnecting.resumes, 11);
  assert.equal(clock.pendingTimers(), 0);
});
