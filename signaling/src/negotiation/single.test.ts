import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTestDescription } from '@sluice/sdp/internal';
import { PublisherNegotiation } from './publisher.ts';
import type { Answer, PendingTrack, Placement } from './terms.ts';
import {
  checkSpec,
  parse,
  participantId,
  pendingTrack,
  rtpSection,
  TestClient,
  testOptions,
  testSite,
  trackId,
  wantedTrack,
} from './test-client.ts';

const chromium = readTestDescription('chromium-send-and-receive');
const firefox = readTestDescription('firefox-send-and-receive');

function answer(negotiation: PublisherNegotiation, offer: string, pending: readonly PendingTrack[] = []): Answer {
  const result = negotiation.answer(offer, pending, testSite);
  assert.ok(result.ok, JSON.stringify(result));
  checkSpec(result.spec);
  return result;
}

const start = (): PublisherNegotiation => new PublisherNegotiation(testOptions());
const none = { audio: 0, video: 0 };
const asked = ({ renegotiate, missing }: Placement): unknown => ({ renegotiate, missing });

/** A client in single mode: data, and as many sections to receive in as SDKs begin with. */
function receivingClient(browser = chromium): TestClient {
  const client = new TestClient(browser);
  client.add('data');
  for (let i = 0; i < 3; i++) client.add('audio');
  for (let i = 0; i < 3; i++) client.add('video');
  return client;
}

test('the first offer’s spare sections are answered inactive, with their mids', () => {
  const { sdp, midToTrackId, renegotiate, missing } = answer(start(), readTestDescription('chromium-single'));
  for (const section of parse(sdp).sections) {
    if (section.type === 'rtp') assert.equal(section.direction, 'inactive');
    assert.notEqual(section.port, 0);
  }
  assert.deepEqual([midToTrackId, renegotiate, missing], [{}, false, none]);
});

test('tracks wanted before the first offer are in its answer', () => {
  const negotiation = start();
  assert.equal(negotiation.want([wantedTrack('a1'), wantedTrack('v1')]).renegotiate, true);
  const answered = answer(negotiation, receivingClient().offer());
  assert.deepEqual(answered.midToTrackId, { 1: trackId('a1'), 4: trackId('v1') });
  assert.deepEqual(asked(answered), { renegotiate: false, missing: none });
});

test('a wanted track asks for an offer when there is a free section, and for sections when there is none', () => {
  const negotiation = start();
  const client = receivingClient();
  answer(negotiation, client.offer());
  assert.deepEqual(asked(negotiation.want([wantedTrack('v1')])), { renegotiate: true, missing: none });
  const five = ['v1', 'v2', 'v3', 'v4', 'v5', 'a1'].map((name) => wantedTrack(name));
  assert.deepEqual(asked(negotiation.want(five)), { renegotiate: true, missing: { audio: 0, video: 2 } });
  const short = answer(negotiation, client.offer());
  assert.deepEqual(asked(short), { renegotiate: true, missing: { audio: 0, video: 2 } });
  client.add('video');
  client.add('video');
  const full = answer(negotiation, client.offer());
  assert.deepEqual(asked(full), { renegotiate: false, missing: none });
  assert.equal(full.spec.outgoing.length, 6);
});

test('a track’s section: sendonly, msid that SDKs cut, SSRC and RTX by FID, only formats of its codec, the client’s numbers', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1', { mimeType: 'video/VP9', participant: participantId('Ann') })]);
  const { sdp, spec } = answer(negotiation, receivingClient(firefox).offer());
  const section = rtpSection(sdp, '4');
  assert.equal(section.direction, 'sendonly');
  assert.deepEqual(section.msids, [{ stream: 'PA_Ann|TR_v1', track: 'TR_v1' }]);
  assert.deepEqual(
    section.codecs.map(({ payloadType, name }) => [payloadType, name]),
    [
      [121, 'VP9'],
      [125, 'rtx'],
    ],
  );
  const [outgoing] = spec.outgoing;
  assert.deepEqual(section.sourceGroups, [{ semantics: 'FID', ssrcs: [outgoing?.ssrc, outgoing?.rtxSsrc] }]);
  assert.deepEqual(
    section.sources.map(({ ssrc }) => ssrc),
    [outgoing?.ssrc, outgoing?.rtxSsrc],
  );
  assert.deepEqual(outgoing?.codecs, [
    { payloadType: 121, codec: 'vp9', clockRateHz: 90_000, profile: 'profile-id=0', rtxPayloadType: 125 },
  ]);
  assert.deepEqual([outgoing?.mid, outgoing?.track], ['4', trackId('v1')]);
});

test('H.264 to a subscriber: every profile and mode it has, so that the publisher’s is among them', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1', { mimeType: 'video/H264' })]);
  const { spec } = answer(negotiation, receivingClient().offer());
  const profiles = spec.outgoing[0]?.codecs.map(({ profile }) => profile) ?? [];
  assert.ok(profiles.includes('constrained-baseline;packetization-mode=1'));
  assert.equal(new Set(profiles).size, 6);
});

test('a track keeps its section whatever comes and goes around it', () => {
  const negotiation = start();
  const client = receivingClient();
  negotiation.want([wantedTrack('v1'), wantedTrack('v2')]);
  const first = answer(negotiation, client.offer());
  negotiation.want([wantedTrack('v3'), wantedTrack('v2')]);
  const second = answer(negotiation, client.offer());
  assert.equal(second.midToTrackId['5'], first.midToTrackId['5']);
  const v2 = (answered: Answer): unknown => answered.spec.outgoing.find(({ track }) => track === trackId('v2'));
  assert.deepEqual(v2(second), v2(first));
});

test('a section that a track left is answered inactive once before another takes it', () => {
  const negotiation = start();
  const client = receivingClient();
  negotiation.want(['v1', 'v2', 'v3'].map((name) => wantedTrack(name)));
  answer(negotiation, client.offer());
  const change = negotiation.want(['v4', 'v2', 'v3'].map((name) => wantedTrack(name)));
  assert.deepEqual(
    change.spec.outgoing.map(({ track }) => track),
    [trackId('v2'), trackId('v3')],
  );
  // The section is on its way to being free, but a client asked now could only say so.
  assert.deepEqual(asked(change), { renegotiate: true, missing: { audio: 0, video: 1 } });
  const freed = answer(negotiation, client.offer());
  assert.equal(rtpSection(freed.sdp, '4').direction, 'inactive');
  assert.deepEqual(rtpSection(freed.sdp, '4').msids, []);
  assert.deepEqual(asked(freed), { renegotiate: true, missing: none });
  const taken = answer(negotiation, client.offer());
  assert.equal(taken.midToTrackId['4'], trackId('v4'));
});

test('a new subscription has new SSRCs, even to the same track in the same section', () => {
  const negotiation = start();
  const client = receivingClient();
  const ssrcs = new Set<number | undefined>();
  for (let i = 0; i < 5; i++) {
    negotiation.want([wantedTrack('v1')]);
    const [outgoing] = answer(negotiation, client.offer()).spec.outgoing;
    ssrcs.add(outgoing?.ssrc).add(outgoing?.rtxSsrc);
    negotiation.want([]);
    if (i % 2 === 0) answer(negotiation, client.offer());
  }
  assert.equal(ssrcs.size, 10);
});

test('a track that left and comes back before the client heard of it keeps its section', () => {
  const negotiation = start();
  const client = receivingClient();
  negotiation.want([wantedTrack('v1')]);
  answer(negotiation, client.offer());
  negotiation.want([]);
  negotiation.want([wantedTrack('v1')]);
  assert.deepEqual(answer(negotiation, client.offer()).midToTrackId, { 4: trackId('v1') });
});

test('unsubscribing asks for an offer, so that the client’s section goes silent too', () => {
  const negotiation = start();
  const client = receivingClient();
  negotiation.want([wantedTrack('v1')]);
  answer(negotiation, client.offer());
  assert.deepEqual(asked(negotiation.want([])), { renegotiate: true, missing: none });
  assert.deepEqual(asked(answer(negotiation, client.offer())), { renegotiate: false, missing: none });
});

test('pausing changes the spec and needs no offer', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1')]);
  answer(negotiation, receivingClient().offer());
  const paused = negotiation.want([wantedTrack('v1', { paused: true })]);
  assert.equal(paused.spec.outgoing[0]?.paused, true);
  assert.equal(paused.renegotiate, false);
});

test('a codec that the client has not is unsupported: it waits for nothing', () => {
  const negotiation = start();
  const client = receivingClient(firefox);
  negotiation.want([wantedTrack('v1', { mimeType: 'video/H264' }), wantedTrack('a1', { mimeType: 'audio/red' })]);
  const answered = answer(negotiation, client.offer());
  assert.deepEqual(answered.unsupported, [trackId('v1'), trackId('a1')]);
  assert.deepEqual(asked(answered), { renegotiate: false, missing: none });
});

test('publishing and receiving by one connection: msids, codecs and mid map do not mix', () => {
  const negotiation = start();
  const client = receivingClient();
  const mid = client.send('v9');
  negotiation.want([wantedTrack('v1', { mimeType: 'video/VP9' })]);
  const { midToTrackId, spec, published } = answer(negotiation, client.offer(), [pendingTrack('v9', { codec: 'vp8' })]);
  assert.deepEqual(midToTrackId, { 4: trackId('v1') });
  assert.equal(published[0]?.mid, mid);
  assert.deepEqual([spec.incoming[0]?.codecs[0]?.codec, spec.outgoing[0]?.codecs[0]?.codec], ['vp8', 'vp9']);
});

test('a sendrecv section carries a track each way, each in its own codec', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  const mid = client.add('video', 'sendrecv', 'v9');
  negotiation.want([wantedTrack('v1', { mimeType: 'video/AV1' })]);
  const { sdp, spec } = answer(negotiation, client.offer(), [pendingTrack('v9', { codec: 'vp8' })]);
  const section = rtpSection(sdp, mid);
  assert.equal(section.direction, 'sendrecv');
  assert.deepEqual(
    section.codecs.map(({ name }) => name),
    ['VP8', 'rtx', 'AV1', 'rtx'],
  );
  assert.deepEqual(
    [spec.incoming[0]?.codecs, spec.outgoing[0]?.codecs].map((codecs) => codecs?.map(({ codec }) => codec)),
    [['vp8'], ['av1']],
  );
});

test('a track whose section the client closes goes to another', () => {
  const negotiation = start();
  const client = receivingClient();
  negotiation.want([wantedTrack('v1')]);
  answer(negotiation, client.offer());
  client.section('4').stopped = true;
  const { midToTrackId, spec } = answer(negotiation, client.offer());
  assert.deepEqual(midToTrackId, { 5: trackId('v1') });
  assert.equal(spec.outgoing[0]?.mid, '5');
});

test('a track whose codec the client drops from its section goes to one that has it', () => {
  const negotiation = start();
  const client = receivingClient();
  negotiation.want([wantedTrack('v1')]);
  answer(negotiation, client.offer());
  const [data = '', ...media] = client.offer().split(/(?=m=video)/);
  const offer = data + media.map((part, i) => (i === 0 ? part.replace('VP8/90000', 'XX/90000') : part)).join('');
  const { midToTrackId, sdp } = answer(negotiation, offer);
  assert.deepEqual(midToTrackId, { 5: trackId('v1') });
  assert.equal(rtpSection(sdp, '4').direction, 'inactive');
});

test('stereo downstream is said by sprop-stereo', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('a1', { stereo: true })]);
  const { sdp } = answer(negotiation, receivingClient().offer());
  assert.equal(rtpSection(sdp, '1').codecs[0]?.parameters.get('sprop-stereo'), '1');
  assert.equal(rtpSection(sdp, '2').codecs[0]?.parameters.has('sprop-stereo'), false);
});

test('our SSRCs keep away from the client’s own', () => {
  const probe = start();
  probe.want([wantedTrack('a1')]);
  const ssrc = answer(probe, receivingClient().offer()).spec.outgoing[0]?.ssrc ?? 0;
  // The same randomness, and a client that has just these.
  const negotiation = start();
  negotiation.want([wantedTrack('a1')]);
  const taken = `a=ssrc:${ssrc} cname:c\r\na=ssrc:${ssrc + 1} cname:c\r\n`;
  const { spec } = answer(negotiation, receivingClient().offer() + taken);
  assert.equal(spec.outgoing[0]?.ssrc, ssrc + 2);
});

test('a client with as many sections as there may be is asked for no more', () => {
  const negotiation = new PublisherNegotiation(testOptions(1, { maxSections: 8 }));
  const client = receivingClient();
  const wanted = Array.from({ length: 10 }, (_, i) => wantedTrack(`v${i}`));
  negotiation.want(wanted);
  assert.deepEqual(asked(answer(negotiation, client.offer())), {
    renegotiate: true,
    missing: { audio: 0, video: 1 },
  });
  client.add('video');
  assert.deepEqual(asked(answer(negotiation, client.offer())), { renegotiate: false, missing: none });
});
