import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Codec } from '@sluice/sdp';
import { readTestDescription, testDescriptionNames } from '@sluice/sdp/internal';
import { PublisherNegotiation } from './publisher.ts';
import type { Answer, PendingTrack, SiteTransport } from './terms.ts';
import {
  checkSpec,
  dataSection,
  parse,
  pendingTrack,
  rtpSection,
  TestClient,
  testOptions,
  testSite,
  trackId,
} from './test-client.ts';

const chromium = readTestDescription('chromium-send-and-receive');
const firefox = readTestDescription('firefox-send-and-receive');

function answer(
  negotiation: PublisherNegotiation,
  offer: string,
  pending: readonly PendingTrack[] = [],
  site: SiteTransport = testSite,
): Answer {
  const result = negotiation.answer(offer, pending, site);
  assert.ok(result.ok, JSON.stringify(result));
  checkSpec(result.spec);
  assert.deepEqual(negotiation.spec, result.spec);
  return result;
}

const start = (): PublisherNegotiation => new PublisherNegotiation(testOptions());
const codecNamesOf = (answered: Answer, mid: string): string[] =>
  rtpSection(answered.sdp, mid)
    .codecs.map(({ name }) => name)
    .filter((name) => name !== 'rtx');

for (const name of testDescriptionNames()) {
  test(`answers ${name}: every section in its place, accepted, in the bundle`, () => {
    const offer = parse(readTestDescription(name));
    const answered = answer(start(), readTestDescription(name), [pendingTrack('a1'), pendingTrack('v1')]);
    const { sections, bundleGroups, iceLite } = parse(answered.sdp);
    assert.equal(iceLite, true);
    assert.deepEqual(bundleGroups, offer.bundleGroups);
    for (const [index, section] of sections.entries()) {
      const offered = offer.sections[index];
      assert.deepEqual([section.mid, section.type], [offered?.mid, offered?.type]);
      assert.notEqual(section.port, 0);
      assert.equal(section.transport.setup, 'passive');
      assert.deepEqual(section.transport.fingerprints, [testSite.fingerprint]);
      assert.deepEqual(section.transport.ice, answered.spec.localCredentials[0]);
      if (section.type !== 'rtp' || offered?.type !== 'rtp') continue;
      // RFC 3264 §6.1: an answer keeps the offer's numbers.
      for (const codec of section.codecs) {
        const same: Codec | undefined = offered.codecs.find(({ payloadType }) => payloadType === codec.payloadType);
        assert.deepEqual([codec.name, codec.clockRateHz], [same?.name, same?.clockRateHz]);
      }
      for (const { id, uri } of section.extensions) {
        assert.ok(offered.extensions.some((each) => each.id === id && each.uri === uri));
      }
    }
  });
}

test('candidates stand once, in the section whose transport is used, with every public address and the end', () => {
  const { sections } = parse(answer(start(), readTestDescription('chromium-single')).sdp);
  const [tagged, ...others] = sections.map(({ transport }) => transport);
  assert.deepEqual(
    tagged?.candidates.map(({ address, port, type, transport }) => [address, port, type, transport]),
    [
      ['192.0.2.7', 7882, 'host', 'udp'],
      ['2001:db8::7', 7882, 'host', 'udp'],
    ],
  );
  const [first = 0, second = 0] = tagged?.candidates.map(({ priority }) => priority) ?? [];
  assert.ok(first > second);
  assert.equal(tagged?.endOfCandidates, true);
  assert.ok(others.every(({ candidates, endOfCandidates }) => candidates.length === 0 && !endOfCandidates));
});

test('the spec says what the client said: credentials, fingerprint, and that we are the DTLS server', () => {
  const { spec } = answer(start(), readTestDescription('firefox-audio-video'));
  const offer = parse(readTestDescription('firefox-audio-video')).sections[0]?.transport;
  assert.deepEqual(spec.remoteCredentials, offer?.ice);
  assert.deepEqual(spec.remoteFingerprints, offer?.fingerprints);
  assert.equal(spec.dtlsRole, 'server');
});

test('a published track is found by its cid, whatever the order of the announcements', () => {
  const client = new TestClient(chromium);
  const [audio, video] = [client.send('a1'), client.send('v1')];
  const pending = [pendingTrack('v0'), pendingTrack('v1'), pendingTrack('a0'), pendingTrack('a1')];
  const { published, spec } = answer(start(), client.offer(), pending);
  assert.deepEqual(
    published.map(({ track, mid }) => [track, mid]),
    [
      [trackId('a1'), audio],
      [trackId('v1'), video],
    ],
  );
  assert.deepEqual(
    spec.incoming.map(({ track, mid, kind }) => [track, mid, kind]),
    [
      [trackId('a1'), audio, 'audio'],
      [trackId('v1'), video, 'video'],
    ],
  );
});

test('a section that no cid explains takes the oldest track of its kind that waits', () => {
  const client = new TestClient(firefox);
  const [replaced, own] = [client.add('video', 'sendonly', 'replaced'), client.send('v2')];
  const { published } = answer(start(), client.offer(), [pendingTrack('a1'), pendingTrack('v1'), pendingTrack('v2')]);
  assert.deepEqual(
    published.map(({ track, mid }) => [track, mid]),
    [
      [trackId('v1'), replaced],
      [trackId('v2'), own],
    ],
  );
});

test('a track that nobody announced is answered inactive and reaches no spec', () => {
  const client = new TestClient(chromium);
  const mid = client.send('v1');
  const answered = answer(start(), client.offer());
  assert.equal(rtpSection(answered.sdp, mid).direction, 'inactive');
  assert.deepEqual(answered.spec.incoming, []);
});

test('a track is unpublished by its section: inactive, turned to receive, stopped', () => {
  for (const change of ['inactive', 'recvonly', 'stopped'] as const) {
    const negotiation = start();
    const client = new TestClient(chromium);
    const kept = client.send('a1');
    const mid = client.send('v1');
    answer(negotiation, client.offer(), [pendingTrack('a1'), pendingTrack('v1')]);
    if (change === 'stopped') client.section(mid).stopped = true;
    else client.section(mid).direction = change;
    const { unpublished, spec, published } = answer(negotiation, client.offer());
    assert.deepEqual(unpublished, [trackId('v1')], change);
    assert.deepEqual(published, []);
    assert.deepEqual(
      spec.incoming.map((each) => each.mid),
      [kept],
    );
  }
});

test('a published track stays with its section when the msid changes under it', () => {
  const negotiation = start();
  const client = new TestClient(firefox);
  const mid = client.send('v1');
  answer(negotiation, client.offer(), [pendingTrack('v1')]);
  client.section(mid).cid = 'another camera';
  const { unpublished, published, spec } = answer(negotiation, client.offer(), [pendingTrack('v2')]);
  assert.deepEqual([unpublished, published], [[], []]);
  assert.equal(spec.incoming[0]?.track, trackId('v1'));
});

test('a section that sends another announced track now has ended the one before', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  const mid = client.send('v1');
  answer(negotiation, client.offer(), [pendingTrack('v1')]);
  client.section(mid).cid = 'v2';
  const { unpublished, published } = answer(negotiation, client.offer(), [pendingTrack('v2')]);
  assert.deepEqual(unpublished, [trackId('v1')]);
  assert.deepEqual(
    published.map((each) => [each.track, each.mid]),
    [[trackId('v2'), mid]],
  );
});

test('a revoked track leaves the spec, its section goes inactive and takes no track that waits', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  const mid = client.send('v1');
  answer(negotiation, client.offer(), [pendingTrack('v1')]);
  assert.deepEqual(negotiation.revoke(trackId('v1')).incoming, []);
  const after = answer(negotiation, client.offer(), [pendingTrack('v2')]);
  assert.equal(rtpSection(after.sdp, mid).direction, 'inactive');
  assert.deepEqual([after.published, after.unpublished], [[], []]);
  client.section(mid).direction = 'inactive';
  answer(negotiation, client.offer());
  client.section(mid).direction = 'sendonly';
  client.section(mid).cid = 'v2';
  assert.equal(answer(negotiation, client.offer(), [pendingTrack('v2')]).published.length, 1);
});

test('the wished codec is the only one answered; H.264 begins with constrained baseline, packetization mode 1', () => {
  const client = new TestClient(chromium);
  const mid = client.send('v1');
  for (const wish of ['h264', 'video/H264', 'video/h264']) {
    const answered = answer(start(), client.offer(), [pendingTrack('v1', { codec: wish })]);
    assert.deepEqual(new Set(codecNamesOf(answered, mid)), new Set(['H264']));
    assert.equal(answered.published[0]?.mimeType, 'video/H264');
    const [first] = answered.spec.incoming[0]?.codecs ?? [];
    assert.deepEqual(first, {
      payloadType: 108,
      codec: 'h264',
      clockRateHz: 90_000,
      profile: 'constrained-baseline;packetization-mode=1',
      rtxPayloadType: 109,
    });
  }
});

test('each codec that Chromium can send can be published, with its own RTX', () => {
  const client = new TestClient(chromium);
  const mid = client.send('v1');
  for (const [wish, mimeType] of [
    ['vp8', 'video/VP8'],
    ['vp9', 'video/VP9'],
    ['av1', 'video/AV1'],
  ] as const) {
    const answered = answer(start(), client.offer(), [pendingTrack('v1', { codec: wish })]);
    assert.equal(answered.published[0]?.mimeType, mimeType);
    const { codecs } = rtpSection(answered.sdp, mid);
    const [media, rtx] = codecs;
    assert.equal(media?.name.toLowerCase(), wish);
    assert.equal(rtx?.parameters.get('apt'), String(media?.payloadType));
    assert.deepEqual(media?.feedback, ['transport-cc', 'ccm fir', 'nack', 'nack pli']);
    const [spec] = answered.spec.incoming;
    assert.equal(spec?.nack, true);
    assert.equal(spec?.transportCc, true);
    assert.equal(spec?.codecs[0]?.rtxPayloadType, rtx?.payloadType);
  }
});

test('a wish that the client’s offer does not hold falls back to its first codec', () => {
  const client = new TestClient(firefox);
  const mid = client.send('v1');
  const answered = answer(start(), client.offer(), [pendingTrack('v1', { codec: 'h264' })]);
  assert.equal(answered.published[0]?.mimeType, 'video/VP8');
  assert.deepEqual(codecNamesOf(answered, mid), ['VP8']);
});

test('no wish: every codec that we carry, in the client’s order; never RED, FEC or comfort noise', () => {
  const client = new TestClient(chromium);
  const [audio, video] = [client.send('a1'), client.send('v1')];
  const answered = answer(start(), client.offer(), [pendingTrack('a1'), pendingTrack('v1')]);
  assert.deepEqual(codecNamesOf(answered, audio), ['opus', 'PCMU', 'PCMA']);
  assert.deepEqual([...new Set(codecNamesOf(answered, video))], ['VP8', 'H264', 'AV1', 'VP9']);
});

test('a section without any codec of ours is rejected, and its track cannot be published', () => {
  const client = new TestClient(chromium, ['VP8', 'VP9', 'AV1', 'H264']);
  client.send('a1');
  client.send('v1');
  const answered = answer(start(), client.offer(), [pendingTrack('a1'), pendingTrack('v1')]);
  assert.deepEqual(answered.unpublishable, [trackId('v1')]);
  assert.deepEqual(
    parse(answered.sdp).sections.map(({ port }) => port),
    [9, 0],
  );
  assert.deepEqual(parse(answered.sdp).bundleGroups, [['0']]);
});

test('opus: silence may be left out unless the track says no; stereo is asked for with bits for it', () => {
  const fmtp = (pending: PendingTrack): Record<string, string> => {
    const client = new TestClient(chromium);
    const mid = client.send('a1');
    const { codecs } = rtpSection(answer(start(), client.offer(), [pending]).sdp, mid);
    return Object.fromEntries(codecs[0]?.parameters ?? []);
  };
  const base = { minptime: '10', useinbandfec: '1' };
  assert.deepEqual(fmtp(pendingTrack('a1')), { ...base, usedtx: '1' });
  assert.deepEqual(fmtp(pendingTrack('a1', { disableDtx: true })), base);
  assert.deepEqual(fmtp(pendingTrack('a1', { disableDtx: true, stereo: true })), {
    ...base,
    stereo: '1',
    maxaveragebitrate: '510000',
  });
});

test('what was answered of a track is answered again', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  const mid = client.send('a1');
  const first = answer(negotiation, client.offer(), [pendingTrack('a1', { stereo: true, codec: 'opus' })]);
  client.send('v1');
  const second = answer(negotiation, client.offer(), [pendingTrack('v1')]);
  const { transport: _, ...before } = rtpSection(first.sdp, mid);
  const { transport: __, ...after } = rtpSection(second.sdp, mid);
  assert.deepEqual(after, before);
});

for (const browser of ['chromium', 'firefox'] as const) {
  test(`${browser}’s simulcast is accepted with all rids, which the packet path finds by extension`, () => {
    const answered = answer(start(), readTestDescription(`${browser}-simulcast`), [pendingTrack('v1')]);
    const { rids, simulcast, extensions } = rtpSection(answered.sdp, '1');
    assert.deepEqual(
      rids.map(({ id, direction }) => `${id} ${direction}`),
      ['q recv', 'h recv', 'f recv'],
    );
    assert.deepEqual(
      simulcast?.receive.map(([each]) => each?.rid),
      ['q', 'h', 'f'],
    );
    assert.ok(extensions.some(({ uri }) => uri.endsWith(':rtp-stream-id')));
    assert.ok(extensions.some(({ uri }) => uri.endsWith(':repaired-rtp-stream-id')));
    assert.deepEqual(answered.spec.incoming[0]?.streams, [{ rid: 'q' }, { rid: 'h' }, { rid: 'f' }]);
    assert.deepEqual(answered.published[0]?.rids, ['q', 'h', 'f']);
  });
}

test('without the rid extension simulcast is not accepted: its streams could not be told apart', () => {
  const offer = readTestDescription('chromium-simulcast').replace(/a=extmap:10 .*\r\n/, '');
  const answered = answer(start(), offer, [pendingTrack('v1')]);
  const { rids, simulcast } = rtpSection(answered.sdp, '1');
  assert.deepEqual([rids, simulcast], [[], undefined]);
  assert.deepEqual(answered.spec.incoming[0]?.streams, []);
});

test('SSRCs of one stream and its RTX are paired by FID', () => {
  const offer = parse(readTestDescription('firefox-audio-video')).sections[1];
  assert.equal(offer?.type, 'rtp');
  const [media, rtx] = offer.sources.map(({ ssrc }) => ssrc);
  const { spec } = answer(start(), readTestDescription('firefox-audio-video'), [pendingTrack('v1')]);
  assert.deepEqual(spec.incoming[0]?.streams, [{ ssrc: media, rtxSsrc: rtx, rid: '' }]);
});

test('simulcast by ssrc-group SIM: one stream for each, RTX and FEC are none', () => {
  const sources = [1, 2, 3, 11, 12, 13, 21].map((ssrc) => `a=ssrc:${ssrc} cname:c\r\n`).join('');
  const groups = ['SIM 1 2 3', 'FID 1 11', 'FID 2 12', 'FID 3 13', 'FEC-FR 1 21'];
  const lines = sources + groups.map((group) => `a=ssrc-group:${group}\r\n`).join('');
  const client = new TestClient(chromium);
  client.send('v1');
  const { spec } = answer(start(), client.offer() + lines, [pendingTrack('v1')]);
  assert.deepEqual(spec.incoming[0]?.streams, [
    { ssrc: 1, rtxSsrc: 11, rid: '' },
    { ssrc: 2, rtxSsrc: 12, rid: '' },
    { ssrc: 3, rtxSsrc: 13, rid: '' },
  ]);
});

test('header extensions: one map for the session, the client’s ids; a section that differs goes without', () => {
  const client = new TestClient(chromium);
  client.send('a1');
  const video = client.send('v1');
  const clashing = client
    .offer()
    .replaceAll(/a=extmap:\d+ (\S*dependency-descriptor\S*)/g, 'a=extmap:1 $1')
    .replaceAll(/a=extmap:10 (\S*rtp-stream-id)/g, 'a=extmap:15 $1');
  const { sdp, spec } = answer(start(), clashing, [pendingTrack('a1'), pendingTrack('v1')]);
  const ids = new Map(spec.headerExtensions.map(({ kind, id }) => [kind, id]));
  assert.equal(ids.get('audio-level'), 1);
  assert.equal(ids.has('dependency-descriptor'), false);
  assert.equal(ids.get('rid'), 15, 'Chromium allows two-byte ids');
  assert.equal(new Set(ids.values()).size, ids.size);
  assert.ok(!rtpSection(sdp, video).extensions.some(({ uri }) => uri.includes('dependency-descriptor')));
  const strict = clashing.replaceAll('a=extmap-allow-mixed\r\n', '');
  const { spec: oneByte } = answer(start(), strict, [pendingTrack('a1'), pendingTrack('v1')]);
  assert.ok(!oneByte.headerExtensions.some(({ id }) => id > 14));
});

test('header extensions: a section that numbers one otherwise goes without it', () => {
  const client = new TestClient(chromium);
  client.send('a1');
  const video = client.send('v1');
  const [audioPart = '', videoPart = ''] = client.offer().split(/(?=m=video)/);
  const offer = audioPart + videoPart.replace(/a=extmap:\d+ (\S*sdes:mid)\r/, 'a=extmap:1 $1\r');
  const { sdp, spec } = answer(start(), offer, [pendingTrack('a1'), pendingTrack('v1')]);
  assert.equal(spec.headerExtensions.find(({ kind }) => kind === 'mid')?.id, 4);
  assert.ok(!rtpSection(sdp, video).extensions.some(({ uri }) => uri.endsWith('sdes:mid')));
});

test('an extension that the client only sends is one that we only receive', () => {
  const { sdp } = answer(start(), readTestDescription('firefox-simulcast'), [pendingTrack('v1')]);
  const rid = rtpSection(sdp, '1').extensions.find(({ uri }) => uri.endsWith(':rtp-stream-id'));
  assert.equal(rid?.direction, 'recvonly');
});

test('data channels: the client’s port, our message size; the spec opens none', () => {
  const answered = answer(start(), readTestDescription('firefox-data'));
  const { sctpPort, maxMessageBytes } = dataSection(answered.sdp);
  assert.deepEqual([sctpPort, maxMessageBytes], [5000, 262_144]);
  assert.deepEqual(answered.spec.data, { sctpPort: 5000, remoteMaxMessageBytes: 1_073_741_823, channels: [] });
});

test('a client that does not say how large its messages may be takes 64 KiB, one that says 0 takes any', () => {
  const offer = readTestDescription('chromium-data');
  const limit = (sdp: string): number | undefined => answer(start(), sdp).spec.data?.remoteMaxMessageBytes;
  assert.equal(limit(offer.replace(/a=max-message-size.*\r\n/, '')), 65_536);
  assert.equal(limit(offer.replace('max-message-size:262144', 'max-message-size:0')), 0xffff_ffff);
});

test('an ICE restart of the client is answered with new credentials; the ones before stay good', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  client.send('a1');
  const pending = [pendingTrack('a1')];
  const [first] = answer(negotiation, client.offer(), pending).spec.localCredentials;
  assert.deepEqual(answer(negotiation, client.offer()).spec.localCredentials, [first], 'no restart, nothing new');
  client.restartIce();
  const restarted = answer(negotiation, client.offer());
  const [second, old, ...older] = restarted.spec.localCredentials;
  assert.deepEqual([old, older], [first, []]);
  assert.notEqual(second?.usernameFragment, first?.usernameFragment);
  assert.deepEqual(parse(restarted.sdp).sections[0]?.transport.ice, second);
  assert.equal(restarted.spec.remoteCredentials?.usernameFragment, 'frag1');
  assert.deepEqual([restarted.published, restarted.unpublished], [[], []]);
  for (let i = 0; i < 10; i++) {
    client.restartIce();
    assert.ok(answer(negotiation, client.offer()).spec.localCredentials.length <= 4);
  }
});

test('renewed credentials stand in the next answer though the client did not restart', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  client.add('data');
  const [first] = answer(negotiation, client.offer()).spec.localCredentials;
  negotiation.renewCredentials();
  const { sdp, spec } = answer(negotiation, client.offer());
  assert.deepEqual(parse(sdp).sections[0]?.transport.ice, spec.localCredentials[0]);
  assert.deepEqual(spec.localCredentials[1], first);
});

test('credentials are ICE characters, long enough, and never the same twice', () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const [credentials] = new PublisherNegotiation(testOptions(seed)).spec.localCredentials;
    assert.match(credentials?.usernameFragment ?? '', /^[A-Za-z0-9+/]{4,256}$/);
    assert.match(credentials?.password ?? '', /^[A-Za-z0-9+/]{22,256}$/);
    seen.add(credentials?.usernameFragment ?? '');
  }
  assert.equal(seen.size, 200);
});

test('DTLS role: ours where the client leaves it to us, the other one where it chose, the same ever after', () => {
  const offer = readTestDescription('chromium-data');
  const roles = (setup: string, preferred: 'server' | 'client'): [string, string | undefined] => {
    const negotiation = new PublisherNegotiation(testOptions(1, { preferredDtlsRole: preferred }));
    const { spec, sdp } = answer(negotiation, offer.replace('setup:actpass', `setup:${setup}`));
    return [spec.dtlsRole, parse(sdp).sections[0]?.transport.setup];
  };
  assert.deepEqual(roles('actpass', 'server'), ['server', 'passive']);
  assert.deepEqual(roles('actpass', 'client'), ['client', 'active']);
  assert.deepEqual(roles('active', 'client'), ['server', 'passive']);
  assert.deepEqual(roles('passive', 'server'), ['client', 'active']);

  const negotiation = start();
  answer(negotiation, offer.replace('setup:actpass', 'setup:passive'));
  assert.equal(answer(negotiation, offer).spec.dtlsRole, 'client');
});

test('another hash of the site’s certificate is what the next answer shows', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  client.add('data');
  answer(negotiation, client.offer());
  const fingerprint = { algorithm: 'sha-384', value: Array(48).fill('CD').join(':') } as const;
  const { sdp } = answer(negotiation, client.offer(), [], { ...testSite, fingerprint });
  assert.deepEqual(parse(sdp).sections[0]?.transport.fingerprints, [fingerprint]);
});

test('each description counts one up in one session', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  client.add('data');
  const origins = [1, 2, 3].map(() => parse(answer(negotiation, client.offer()).sdp).origin);
  assert.equal(new Set(origins.map(({ sessionId }) => sessionId)).size, 1);
  assert.deepEqual(
    origins.map(({ sessionVersion }) => sessionVersion),
    ['1', '2', '3'],
  );
});

test('a stopped section’s place may be given to a new one', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  client.send('a1');
  const old = client.send('v1');
  answer(negotiation, client.offer(), [pendingTrack('a1'), pendingTrack('v1')]);
  client.section(old).stopped = true;
  answer(negotiation, client.offer());
  client.sections[1] = { mid: '7', kind: 'audio', direction: 'sendonly', cid: 'a2', stopped: false };
  const { published } = answer(negotiation, client.offer(), [pendingTrack('a2')]);
  assert.equal(published[0]?.mid, '7');
});

test('when the first section is stopped the next one’s transport is used', () => {
  const negotiation = start();
  const client = new TestClient(chromium);
  const first = client.send('a1');
  client.send('v1');
  answer(negotiation, client.offer(), [pendingTrack('a1'), pendingTrack('v1')]);
  client.section(first).stopped = true;
  const { sections, bundleGroups } = parse(answer(negotiation, client.offer()).sdp);
  assert.deepEqual(bundleGroups, [['1']]);
  assert.deepEqual(
    sections.map(({ transport }) => transport.candidates.length),
    [0, 2],
  );
});

test('sections outside the bundle are rejected; without a bundle only the first is taken', () => {
  const client = new TestClient(chromium);
  client.send('a1');
  client.send('v1');
  client.add('data');
  const ports = (offer: string): number[] =>
    parse(answer(start(), offer, [pendingTrack('a1'), pendingTrack('v1')]).sdp).sections.map(({ port }) => port);
  assert.deepEqual(ports(client.offer().replace('a=group:BUNDLE 0 1 2', 'a=group:BUNDLE 0 2')), [9, 0, 9]);
  assert.deepEqual(ports(client.offer().replace('a=group:BUNDLE 0 1 2\r\n', '')), [9, 0, 0]);
});

test('the same randomness and the same offers give the same answers', () => {
  const run = (): string[] => {
    const negotiation = new PublisherNegotiation(testOptions(99));
    const client = new TestClient(chromium);
    client.send('v1');
    const first = answer(negotiation, client.offer(), [pendingTrack('v1')]).sdp;
    client.restartIce();
    return [first, answer(negotiation, client.offer()).sdp];
  };
  assert.deepEqual(run(), run());
});
