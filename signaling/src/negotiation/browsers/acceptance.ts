/**
 * Real browsers take what we write: every description goes through `setRemoteDescription`, and the browser says how
 * it understood it. Run by hand after a change of what descriptions hold; whole calls are in interop/.
 *
 *     node signaling/src/negotiation/browsers/acceptance.ts [chromium|firefox]
 */
import assert from 'node:assert/strict';
import { seededRandom } from '@sluice/runtime';
import { PublisherNegotiation } from '../publisher.ts';
import { SubscriberNegotiation } from '../subscriber.ts';
import type { Answer, NegotiationOptions, PendingTrack, SiteTransport } from '../terms.ts';
import { checkSpec, participantId, pendingTrack, testSite, trackId, wantedTrack } from '../test-client.ts';
import { type BrowserName, browserNames, openPage } from './browsers.ts';
import { RemotePeer } from './remote-peer.ts';

const options: NegotiationOptions = {
  random: seededRandom(1),
  maxSections: 64,
  preferredDtlsRole: 'server',
  reuseSections: 'when-free',
};
const owner = participantId('Ann');
const wanted = (name: string, mimeType?: string): ReturnType<typeof wantedTrack> =>
  wantedTrack(name, { participant: owner, ...(mimeType ? { mimeType } : {}) });
const streamOf = (name: string): string => `${owner}|${trackId(name)}`;

/** The browser offers, we answer, the browser takes it. */
async function exchange(
  peer: RemotePeer,
  negotiation: PublisherNegotiation,
  pending: readonly PendingTrack[] = [],
  how: { ice?: 'restart'; site?: SiteTransport } = {},
): Promise<Answer> {
  const answer = negotiation.answer(await peer.offer(how.ice), pending, how.site ?? testSite);
  assert.ok(answer.ok, JSON.stringify(answer));
  checkSpec(answer.spec);
  await peer.takeAnswer(answer.sdp);
  return answer;
}

type Scenario = (peer: RemotePeer, browser: BrowserName) => Promise<void>;

const scenarios: Readonly<Record<string, Scenario>> = {
  'publishes each codec that it has, and sends the one that was wished': async (peer, browser) => {
    const codecs = ['video/VP8', 'video/VP9', 'video/AV1', ...(browser === 'chromium' ? ['video/H264'] : [])];
    for (const codec of codecs) {
      await peer.open();
      const cid = await peer.publish('video');
      const { published } = await exchange(peer, new PublisherNegotiation(options), [
        pendingTrack('v1', { cids: [cid], codec }),
      ]);
      assert.equal(published[0]?.mimeType, codec);
      const [section] = await peer.sections();
      assert.equal(section?.direction, 'sendonly');
      assert.deepEqual(new Set(section.sends.filter((each) => each !== 'video/rtx')), new Set([codec]));
    }
  },

  'publishes audio, then simulcast, then data; restarts ICE; unpublishes; publishes again': async (peer) => {
    await peer.open();
    const negotiation = new PublisherNegotiation(options);
    const audio = await peer.publish('audio');
    const first = await exchange(peer, negotiation, [
      pendingTrack('a1', { cids: [audio], codec: 'opus', stereo: true }),
    ]);
    assert.deepEqual([first.published[0]?.track, first.published[0]?.mimeType], [trackId('a1'), 'audio/opus']);

    const camera = await peer.publish('video', ['q', 'h', 'f']);
    const second = await exchange(peer, negotiation, [pendingTrack('v1', { cids: [camera], codec: 'vp8' })]);
    assert.deepEqual(second.published[0]?.rids, ['q', 'h', 'f']);
    assert.deepEqual((await peer.section('1')).layers, ['q', 'h', 'f']);

    await peer.openChannel('_reliable');
    assert.ok((await exchange(peer, negotiation)).spec.data);

    const restarted = await exchange(peer, negotiation, [], { ice: 'restart' });
    assert.equal(restarted.spec.localCredentials.length, 2);

    await peer.unpublish('1');
    assert.deepEqual((await exchange(peer, negotiation)).unpublished, [trackId('v1')]);
    assert.equal((await peer.section('1')).direction, 'inactive');

    const screen = await peer.publish('video');
    const again = await exchange(peer, negotiation, [pendingTrack('v2', { cids: [screen], codec: 'vp9' })]);
    assert.equal(again.published[0]?.track, trackId('v2'));
    assert.deepEqual(again.unpublished, []);
  },

  'is answered inactive where nobody announced the track, and published later': async (peer) => {
    await peer.open();
    const negotiation = new PublisherNegotiation(options);
    await peer.openChannel('_reliable');
    const cid = await peer.publish('video');
    await exchange(peer, negotiation);
    const [section] = await peer.sections();
    assert.equal(section?.direction, 'inactive');
    await exchange(peer, negotiation, [pendingTrack('v1', { cids: [cid] })]);
    assert.equal((await peer.sections())[0]?.direction, 'sendonly');
  },

  'single: tracks come in its own sections, leave, and come again in the same ones': async (peer) => {
    await peer.open();
    await peer.openChannel('_reliable');
    await peer.receive('audio', 1);
    await peer.receive('video', 2);
    const negotiation = new PublisherNegotiation(options);
    negotiation.want([wanted('a1'), wanted('v1')]);
    const first = await exchange(peer, negotiation);
    const midOf = (answer: Answer, name: string): string =>
      Object.entries(answer.midToTrackId).find(([, track]) => track === trackId(name))?.[0] ?? '';
    const [a1, v1] = [midOf(first, 'a1'), midOf(first, 'v1')];
    assert.deepEqual(await peer.takeEvents(), [`+${a1} ${streamOf('a1')}`, `+${v1} ${streamOf('v1')}`]);

    // VP8 leaves and VP9 comes, by the other section; then AV1 by the first.
    negotiation.want([wanted('a1'), wanted('v2', 'video/VP9')]);
    const second = await exchange(peer, negotiation);
    const v2 = midOf(second, 'v2');
    assert.deepEqual((await peer.takeEvents()).toSorted(), [`+${v2} ${streamOf('v2')}`, `-${v1} ${streamOf('v1')}`]);
    negotiation.want([wanted('a1'), wanted('v2', 'video/VP9'), wanted('v3', 'video/AV1')]);
    const third = await exchange(peer, negotiation);
    assert.equal(midOf(third, 'v3'), v1);
    assert.deepEqual(await peer.takeEvents(), [`+${v1} ${streamOf('v3')}`]);
    assert.ok((await peer.section(v1)).receives.includes('video/AV1'));

    const needs = negotiation.want(['a1', 'a2', 'v2', 'v3', 'v4'].map((name) => wanted(name)));
    assert.deepEqual(needs.missing, { audio: 1, video: 1 });
  },

  'single: publishes and receives by one connection, with sections added on the way': async (peer) => {
    await peer.open();
    await peer.openChannel('_reliable');
    await peer.receive('audio', 3);
    await peer.receive('video', 3);
    const negotiation = new PublisherNegotiation(options);
    await exchange(peer, negotiation);
    const cid = await peer.publish('video', ['q', 'h', 'f']);
    const names = ['v1', 'v2', 'v3', 'v4', 'v5', 'a1'];
    const { missing } = negotiation.want(names.map((name) => wanted(name)));
    await peer.receive('video', missing.video);
    const answer = await exchange(peer, negotiation, [pendingTrack('v9', { cids: [cid], codec: 'vp8' })]);
    assert.equal(answer.spec.outgoing.length, 6);
    assert.equal(answer.published.length, 1);
    assert.equal((await peer.takeEvents()).length, 6);
    assert.equal((await exchange(peer, negotiation, [], { ice: 'restart' })).spec.outgoing.length, 6);
    assert.deepEqual(await peer.takeEvents(), []);
  },

  'subscribes by our offers: tracks come, leave and come again in every codec that it has': async (peer, browser) => {
    await peer.open();
    const negotiation = new SubscriberNegotiation(options);
    const agree = async (ice: 'keep' | 'restart' = 'keep'): Promise<ReturnType<typeof checkSpec>> => {
      const agreed = negotiation.takeAnswer(await peer.answer(negotiation.offer(testSite, ice).sdp));
      assert.ok(agreed.ok, JSON.stringify(agreed));
      return checkSpec(agreed.spec);
    };
    const bare = await agree();
    assert.equal(bare.data?.channels.length, 3);
    assert.equal(bare.dtlsRole, 'server');

    negotiation.want([wanted('a1'), wanted('v1'), wanted('v2', 'video/VP9'), wanted('v3', 'video/AV1')]);
    const some = await agree();
    assert.deepEqual(
      some.outgoing.map(({ mid, codecs }) => [mid, codecs[0]?.codec, codecs[0]?.payloadType]),
      [
        ['1', 'opus', 111],
        ['2', 'vp8', 96],
        ['3', 'vp9', 98],
        ['4', 'av1', 45],
      ],
    );
    assert.ok(some.outgoing.slice(1).every(({ rtxSsrc }) => rtxSsrc !== undefined));
    assert.deepEqual(
      await peer.takeEvents(),
      ['a1', 'v1', 'v2', 'v3'].map((name, i) => `+${i + 1} ${streamOf(name)}`),
    );
    assert.ok(some.headerExtensions.some(({ kind }) => kind === 'transport-cc'));

    negotiation.want([wanted('a1'), wanted('v2', 'video/VP9')]);
    await agree();
    assert.deepEqual((await peer.takeEvents()).toSorted(), [`-2 ${streamOf('v1')}`, `-4 ${streamOf('v3')}`]);

    const h264 = negotiation.want([wanted('a1'), wanted('v2', 'video/VP9'), wanted('v4', 'video/H264')]);
    assert.equal(h264.renegotiate, true);
    const reused = await agree('restart');
    if (browser === 'chromium') {
      assert.deepEqual(await peer.takeEvents(), [`+2 ${streamOf('v4')}`]);
      assert.equal(reused.outgoing.find(({ mid }) => mid === '2')?.codecs.length, 6);
    } else {
      const { unsupported } = negotiation.want([wanted('v4', 'video/H264'), wanted('v5')]);
      assert.deepEqual(unsupported, [trackId('v4')]);
      await agree();
      await agree();
    }
  },

  'subscribes to H.265 or says that it cannot': async (peer) => {
    await peer.open();
    const negotiation = new SubscriberNegotiation(options);
    negotiation.want([wanted('v1', 'video/H265'), wanted('v2')]);
    const agreed = negotiation.takeAnswer(await peer.answer(negotiation.offer(testSite, 'keep').sdp));
    assert.ok(agreed.ok);
    assert.equal(agreed.spec.outgoing.length + agreed.unsupported.length, 2);
    // The rejected section stays in every later offer.
    negotiation.want([wanted('v2'), wanted('v3'), wanted('a1')]);
    const more = negotiation.takeAnswer(await peer.answer(negotiation.offer(testSite, 'keep').sdp));
    assert.ok(more.ok);
    assert.equal(more.spec.outgoing.length, 3);
  },

  'takes another hash of the certificate, and new credentials without having asked where it allows that': async (
    peer,
    browser,
  ) => {
    await peer.open();
    await peer.openChannel('_reliable');
    const negotiation = new PublisherNegotiation(options);
    await exchange(peer, negotiation);
    const fingerprint = { algorithm: 'sha-384', value: Array(48).fill('CD').join(':') } as const;
    const site = { ...testSite, fingerprint };
    if (browser === 'firefox') {
      await exchange(peer, negotiation, [], { ice: 'restart', site });
      return;
    }
    negotiation.renewCredentials();
    await exchange(peer, negotiation, [], { site });
  },

  'gives up sections: a stopped one is answered with port 0 and its place taken again': async (peer) => {
    await peer.open();
    const negotiation = new PublisherNegotiation(options);
    const cid = await peer.publish('audio');
    await peer.publish('video');
    await exchange(peer, negotiation, [pendingTrack('a1', { cids: [cid] }), pendingTrack('v1')]);
    await peer.stop('1');
    assert.deepEqual((await exchange(peer, negotiation)).unpublished, [trackId('v1')]);
    const screen = await peer.publish('video');
    const again = await exchange(peer, negotiation, [pendingTrack('v2', { cids: [screen] })]);
    assert.equal(again.published[0]?.track, trackId('v2'));
    await peer.stop('0');
    assert.deepEqual((await exchange(peer, negotiation)).unpublished, [trackId('a1')]);
  },
};

const chosen = browserNames.filter((name) => process.argv.length < 3 || process.argv.includes(name));
let failed = 0;
for (const name of chosen) {
  await using browser = await openPage(name);
  const peer = new RemotePeer(browser.page);
  for (const [claim, scenario] of Object.entries(scenarios)) {
    try {
      await scenario(peer, name);
      console.log(`ok   ${name} ${claim}`);
    } catch (error) {
      failed += 1;
      console.log(`FAIL ${name} ${claim}\n`, error);
    }
  }
}
process.exitCode = failed === 0 ? 0 : 1;
