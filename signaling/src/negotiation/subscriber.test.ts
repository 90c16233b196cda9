import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTestDescription } from '@sluice/sdp/internal';
import { SubscriberNegotiation } from './subscriber.ts';
import type { Agreed, Offer } from './terms.ts';
import {
  checkSpec,
  dataSection,
  parse,
  participantId,
  rtpSection,
  TestClient,
  testOptions,
  testSite,
  trackId,
  wantedTrack,
} from './test-client.ts';

const chromium = readTestDescription('chromium-send-and-receive');

const start = (): SubscriberNegotiation => new SubscriberNegotiation(testOptions());

function take(negotiation: SubscriberNegotiation, answer: string): Agreed {
  const agreed = negotiation.takeAnswer(answer);
  assert.ok(agreed.ok, JSON.stringify(agreed));
  checkSpec(agreed.spec);
  return agreed;
}

/** One whole exchange. */
function exchange(
  negotiation: SubscriberNegotiation,
  client: TestClient,
  ice: 'keep' | 'restart' = 'keep',
): { offer: Offer; agreed: Agreed } {
  const offer = negotiation.offer(testSite, ice);
  checkSpec(offer.spec);
  return { offer, agreed: take(negotiation, client.answer(offer.sdp)) };
}

test('the first offer has data channels and the tracks wanted by then', () => {
  const negotiation = start();
  assert.equal(negotiation.want([wantedTrack('a1'), wantedTrack('v1')]).renegotiate, true);
  const { sdp, midToTrackId, renegotiate } = negotiation.offer(testSite, 'keep');
  const { sections, bundleGroups, iceLite } = parse(sdp);
  assert.equal(iceLite, true);
  assert.deepEqual(bundleGroups, [['0', '1', '2']]);
  assert.deepEqual(
    sections.map(({ type, transport }) => [type, transport.setup, transport.candidates.length]),
    [
      ['data', 'actpass', 2],
      ['rtp', 'actpass', 0],
      ['rtp', 'actpass', 0],
    ],
  );
  assert.deepEqual(midToTrackId, { 1: trackId('a1'), 2: trackId('v1') });
  assert.equal(renegotiate, false);
  assert.equal(dataSection(sdp).sctpPort, 5000);
});

test('a client that wants nothing is offered data channels all the same', () => {
  const negotiation = start();
  assert.equal(negotiation.want([]).renegotiate, true);
  const { agreed } = exchange(negotiation, new TestClient(chromium));
  assert.equal(agreed.renegotiate, false);
  assert.deepEqual(agreed.spec.data, {
    sctpPort: 5000,
    remoteMaxMessageBytes: 262_144,
    channels: [
      { label: '_reliable', protocol: '', ordered: true, open: true },
      { label: '_lossy', protocol: '', ordered: false, maxRetransmits: 0, open: true },
      { label: '_data_track', protocol: '', ordered: false, maxRetransmits: 0, open: true },
    ],
  });
});

test('nothing of a track is in the spec until the client has agreed', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1')]);
  const offer = negotiation.offer(testSite, 'keep');
  assert.deepEqual(
    [offer.spec.outgoing, offer.spec.remoteFingerprints, offer.spec.remoteCredentials],
    [[], [], undefined],
  );
  assert.equal(negotiation.awaitsAnswer, true);
  const client = new TestClient(chromium);
  const { spec } = take(negotiation, client.answer(offer.sdp));
  assert.equal(negotiation.awaitsAnswer, false);
  assert.equal(spec.dtlsRole, 'server');
  assert.equal(spec.remoteFingerprints.length, 1);
  const [outgoing] = spec.outgoing;
  const { sources } = rtpSection(offer.sdp, '1');
  assert.deepEqual(
    [outgoing?.ssrc, outgoing?.rtxSsrc],
    sources.map(({ ssrc }) => ssrc),
  );
  assert.deepEqual(outgoing?.codecs, [
    { payloadType: 96, codec: 'vp8', clockRateHz: 90_000, profile: '', rtxPayloadType: 97 },
  ]);
});

test('our numbers: opus 111, VP8 96, VP9 98 and 100, H.264 from 102, RTX one above, no number twice', () => {
  const negotiation = start();
  const mimeTypes = ['video/VP8', 'video/VP9', 'video/H264', 'video/H265', 'video/AV1'];
  negotiation.want([
    wantedTrack('a1'),
    wantedTrack('a2', { mimeType: 'audio/PCMU' }),
    wantedTrack('a3', { mimeType: 'audio/PCMA' }),
    ...mimeTypes.map((mimeType, i) => wantedTrack(`v${i}`, { mimeType })),
  ]);
  const { sdp } = negotiation.offer(testSite, 'keep');
  const codecs = parse(sdp).sections.flatMap((section) => (section.type === 'rtp' ? section.codecs : []));
  const first = (name: string): number | undefined => codecs.find((codec) => codec.name === name)?.payloadType;
  assert.deepEqual(['opus', 'PCMU', 'PCMA', 'VP8', 'VP9', 'H264'].map(first), [111, 0, 8, 96, 98, 102]);
  assert.equal(new Set(codecs.map(({ payloadType }) => payloadType)).size, codecs.length);
  for (const rtx of codecs.filter(({ name }) => name === 'rtx')) {
    assert.equal(rtx.parameters.get('apt'), String(rtx.payloadType - 1));
  }
  const [h264] = rtpSection(sdp, '6').codecs;
  assert.equal(h264?.parameters.get('profile-level-id'), '42e01f');
  assert.equal(h264?.parameters.get('packetization-mode'), '1');
});

test('header extensions: what client and we have both, by our ids', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1')]);
  const { sdp } = negotiation.offer(testSite, 'keep');
  const answer = new TestClient(chromium).answer(sdp).replace(/a=extmap:\d+ \S*abs-capture-time\r\n/g, '');
  const { spec } = take(negotiation, answer);
  assert.deepEqual(spec.headerExtensions, [
    { kind: 'transport-cc', id: 3 },
    { kind: 'mid', id: 4 },
    { kind: 'dependency-descriptor', id: 12 },
  ]);
});

test('the client’s numbers stand when its answer has others', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1')]);
  const answer = new TestClient(chromium)
    .answer(negotiation.offer(testSite, 'keep').sdp)
    .replace('SAVPF 96 97', 'SAVPF 120 121')
    .replaceAll(/a=(rtpmap|rtcp-fb|fmtp):96/g, 'a=$1:120')
    .replaceAll(/a=(rtpmap|rtcp-fb|fmtp):97/g, 'a=$1:121')
    .replace('apt=96', 'apt=120');
  const [outgoing] = take(negotiation, answer).spec.outgoing;
  assert.deepEqual(
    outgoing?.codecs.map(({ payloadType, rtxPayloadType }) => [payloadType, rtxPayloadType]),
    [[120, 121]],
  );
});

test('formats that the client’s answer leaves out are not sent', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1', { mimeType: 'video/H264' })]);
  const { sdp } = negotiation.offer(testSite, 'keep');
  const answer = new TestClient(chromium).answer(sdp).replace(/(m=video 9 \S+) .*/, '$1 102 103');
  assert.deepEqual(
    take(negotiation, answer).spec.outgoing[0]?.codecs.map(({ profile }) => profile),
    ['constrained-baseline;packetization-mode=1'],
  );
});

test('sections never move, and never change mid or kind', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  negotiation.want([wantedTrack('v1'), wantedTrack('a1')]);
  const first = exchange(negotiation, client).offer;
  negotiation.want([wantedTrack('a1'), wantedTrack('v2')]);
  const second = exchange(negotiation, client).offer;
  const shape = (sdp: string): unknown[] =>
    parse(sdp).sections.map((section) => [section.mid, section.type === 'rtp' ? section.kind : section.type]);
  assert.deepEqual(shape(second.sdp).slice(0, 3), shape(first.sdp));
  assert.equal(second.midToTrackId['2'], trackId('a1'));
});

test('a section is offered inactive, answered, and then taken by the next track of its kind', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  negotiation.want([wantedTrack('v1')]);
  exchange(negotiation, client);
  const left = negotiation.want([]);
  assert.deepEqual([left.renegotiate, left.spec.outgoing], [true, []]);
  const { offer, agreed } = exchange(negotiation, client);
  assert.equal(rtpSection(offer.sdp, '1').direction, 'inactive');
  assert.equal(agreed.renegotiate, false);
  negotiation.want([wantedTrack('a1'), wantedTrack('v2', { mimeType: 'video/VP9' })]);
  const next = exchange(negotiation, client);
  assert.deepEqual(next.offer.midToTrackId, { 1: trackId('v2'), 2: trackId('a1') });
  assert.equal(next.agreed.spec.outgoing.find(({ mid }) => mid === '1')?.codecs[0]?.codec, 'vp9');
});

test('a section that a track leaves while another comes is not the other’s: the client must see it silent first', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  negotiation.want([wantedTrack('v1')]);
  exchange(negotiation, client);
  negotiation.want([wantedTrack('v2')]);
  const { offer } = exchange(negotiation, client);
  assert.deepEqual(offer.midToTrackId, { 2: trackId('v2') });
  assert.equal(rtpSection(offer.sdp, '1').direction, 'inactive');
});

test('an offer without answer, replaced by another, leaves no section that the client may have seen otherwise', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  negotiation.want([wantedTrack('v1')]);
  negotiation.offer(testSite, 'keep');
  negotiation.want([wantedTrack('v2')]);
  negotiation.offer(testSite, 'restart');
  negotiation.want([wantedTrack('v3')]);
  const { offer } = exchange(negotiation, client);
  assert.deepEqual(offer.midToTrackId, { 3: trackId('v3') });
});

test('with a client that cannot reuse sections every track has a new one', () => {
  const negotiation = new SubscriberNegotiation(testOptions(1, { reuseSections: 'never' }));
  const client = new TestClient(chromium);
  for (const [i, name] of ['v1', 'v2', 'v1'].entries()) {
    negotiation.want([wantedTrack(name)]);
    assert.deepEqual(exchange(negotiation, client).offer.midToTrackId, { [i + 1]: trackId(name) });
    negotiation.want([]);
    exchange(negotiation, client);
  }
});

test('what changes while an offer is under way asks for another when the answer is there', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  negotiation.want([wantedTrack('v1'), wantedTrack('v2')]);
  const { sdp } = negotiation.offer(testSite, 'keep');
  assert.equal(negotiation.want([wantedTrack('v2'), wantedTrack('v3')]).renegotiate, true);
  const agreed = take(negotiation, client.answer(sdp));
  assert.equal(agreed.renegotiate, true);
  assert.deepEqual(
    agreed.spec.outgoing.map(({ track }) => track),
    [trackId('v2')],
  );
  const { offer } = exchange(negotiation, client);
  assert.deepEqual(offer.midToTrackId, { 2: trackId('v2'), 3: trackId('v3') });
});

test('a codec that the client rejects is unsupported, also for the next track; its section is never used again', () => {
  const negotiation = start();
  const client = new TestClient(chromium, ['H264']);
  negotiation.want([wantedTrack('v1', { mimeType: 'video/H264' }), wantedTrack('v2')]);
  const { agreed } = exchange(negotiation, client);
  assert.deepEqual([agreed.unsupported, agreed.renegotiate], [[trackId('v1')], false]);
  const more = negotiation.want([
    wantedTrack('v1', { mimeType: 'video/H264' }),
    wantedTrack('v2'),
    wantedTrack('v3', { mimeType: 'video/H264' }),
    wantedTrack('v4', { mimeType: 'video/VP9' }),
  ]);
  assert.deepEqual(more.unsupported, [trackId('v1'), trackId('v3')]);
  const { offer } = exchange(negotiation, client);
  assert.deepEqual(offer.midToTrackId, { 2: trackId('v2'), 3: trackId('v4') });
  const { sections, bundleGroups } = parse(offer.sdp);
  assert.deepEqual(
    sections.map(({ port }) => port === 0),
    [false, true, false, false],
  );
  assert.deepEqual(bundleGroups, [['0', '2', '3']]);
});

test('one track that is rejected does not condemn a codec that works', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  negotiation.want([wantedTrack('v1'), wantedTrack('v2')]);
  const { sdp } = negotiation.offer(testSite, 'keep');
  const agreed = take(negotiation, client.answer(sdp).replace(/m=video 9([\s\S]*?)m=video/, 'm=video 0$1m=video'));
  assert.deepEqual(agreed.unsupported, [trackId('v1')]);
  assert.deepEqual(negotiation.want([wantedTrack('v2'), wantedTrack('v3')]).unsupported, []);
});

test('a client that answers inactive gets nothing by that section and is not asked again for it', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  negotiation.want([wantedTrack('v1')]);
  const { sdp } = negotiation.offer(testSite, 'keep');
  const agreed = take(negotiation, client.answer(sdp).replace('a=recvonly', 'a=inactive'));
  assert.deepEqual([agreed.spec.outgoing, agreed.renegotiate, agreed.unsupported], [[], false, []]);
  assert.equal(exchange(negotiation, client).agreed.spec.outgoing.length, 1, 'it may change its mind');
});

test('ICE restart: new credentials in offer and spec, the old ones good until later', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  const { agreed } = exchange(negotiation, client);
  const offer = negotiation.offer(testSite, 'restart');
  const [now, before] = offer.spec.localCredentials;
  assert.deepEqual(before, agreed.spec.localCredentials[0]);
  assert.deepEqual(parse(offer.sdp).sections[0]?.transport.ice, now);
  client.restartIce();
  assert.equal(take(negotiation, client.answer(offer.sdp)).spec.remoteCredentials?.usernameFragment, 'frag1');
  const kept = negotiation.offer(testSite, 'keep');
  assert.deepEqual(kept.spec.localCredentials, offer.spec.localCredentials);
});

test('the client chooses the DTLS role', () => {
  const negotiation = start();
  const { sdp } = negotiation.offer(testSite, 'keep');
  const answer = new TestClient(chromium).answer(sdp).replaceAll('setup:active', 'setup:passive');
  assert.equal(take(negotiation, answer).spec.dtlsRole, 'client');
});

test('msid, cname and stereo of what we send', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('a1', { stereo: true, participant: participantId('Ann') }), wantedTrack('a2')]);
  const { sdp } = negotiation.offer(testSite, 'keep');
  const section = rtpSection(sdp, '1');
  assert.deepEqual(section.msids, [{ stream: 'PA_Ann|TR_a1', track: 'TR_a1' }]);
  assert.equal(section.sources[0]?.cname, 'PA_Ann');
  assert.equal(section.codecs[0]?.parameters.get('sprop-stereo'), '1');
  assert.equal(rtpSection(sdp, '2').codecs[0]?.parameters.has('sprop-stereo'), false);
});

test('more tracks than sections may be: the first come first, the others wait without asking', () => {
  const negotiation = new SubscriberNegotiation(testOptions(1, { maxSections: 3 }));
  const client = new TestClient(chromium);
  negotiation.want(['v1', 'v2', 'v3', 'v4'].map((name) => wantedTrack(name)));
  const { offer, agreed } = exchange(negotiation, client);
  assert.deepEqual(offer.midToTrackId, { 1: trackId('v1'), 2: trackId('v2') });
  assert.equal(agreed.renegotiate, false);
  negotiation.want(['v2', 'v3', 'v4'].map((name) => wantedTrack(name)));
  assert.equal(exchange(negotiation, client).agreed.renegotiate, true);
  assert.deepEqual(exchange(negotiation, client).offer.midToTrackId, { 1: trackId('v3'), 2: trackId('v2') });
});

test('a track that is in the list twice is in the offer once', () => {
  const negotiation = start();
  negotiation.want([wantedTrack('v1'), wantedTrack('v1')]);
  assert.equal(parse(negotiation.offer(testSite, 'keep').sdp).sections.length, 2);
});

test('an answer to no offer is refused, so is a second one', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  const { offer } = exchange(negotiation, client);
  const again = negotiation.takeAnswer(client.answer(offer.sdp));
  assert.equal(again.ok || again.reason, 'no-offer');
});
