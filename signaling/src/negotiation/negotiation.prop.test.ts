import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerExtensionUris, type OutgoingTrackSpec } from '@sluice/contracts';
import { type Codec, codecName, isRejected } from '@sluice/sdp';
import { readTestDescription } from '@sluice/sdp/internal';
import fc from 'fast-check';
import { PublisherNegotiation } from './publisher.ts';
import { SubscriberNegotiation } from './subscriber.ts';
import type { MediaKind, NegotiatedSpec, PendingTrack, Placement, WantedTrack } from './terms.ts';
import { checkSpec, parse, pendingTrack, TestClient, testOptions, testSite, wantedTrack } from './test-client.ts';

const chromium = readTestDescription('chromium-send-and-receive');
const firefox = readTestDescription('firefox-send-and-receive');

/** Few names, so that tracks come, go and come back. */
const names = ['a1', 'a2', 'a3', 'v1', 'v2', 'v3', 'v4', 'v5'];
const mimeTypes: Record<MediaKind, readonly string[]> = {
  audio: ['audio/opus', 'audio/PCMU'],
  video: ['video/VP8', 'video/VP9', 'video/H264', 'video/AV1'],
};

/** A track has one codec for good. */
const mimeTypeOf = (name: string): string => {
  const kind = name.startsWith('a') ? 'audio' : 'video';
  const types = mimeTypes[kind];
  return types[Number(name.slice(1)) % types.length] ?? '';
};

const wantedTracks = fc
  .subarray(names)
  .map((list) => list.map((name) => wantedTrack(name, { mimeType: mimeTypeOf(name) })));

/** What every spec and the description that goes with it must have in common, whatever happened before. */
class Watch {
  readonly #used = new Set<number>();
  #outgoing: readonly OutgoingTrackSpec[] = [];

  /** Every spec comes by here, in order. */
  note({ outgoing }: NegotiatedSpec): void {
    const ssrcsOf = ({ ssrc, rtxSsrc }: OutgoingTrackSpec): number[] => [
      ssrc,
      ...(rtxSsrc === undefined ? [] : [rtxSsrc]),
    ];
    const ssrcs = outgoing.flatMap(ssrcsOf);
    assert.equal(new Set(ssrcs).size, ssrcs.length, 'two streams share an SSRC');
    for (const each of outgoing) {
      const goesOn = this.#outgoing.some(({ track, ssrc }) => track === each.track && ssrc === each.ssrc);
      assert.ok(goesOn || !ssrcsOf(each).some((ssrc) => this.#used.has(ssrc)), 'an SSRC is used again');
    }
    for (const ssrc of ssrcs) this.#used.add(ssrc);
    this.#outgoing = outgoing;
  }

  check(spec: NegotiatedSpec, description: string): void {
    checkSpec(spec);
    this.note(spec);
    const sections = new Map(parse(description).sections.map((section) => [section.mid, section]));
    for (const { mid, kind, codecs } of [...spec.incoming, ...spec.outgoing]) {
      const section = sections.get(mid);
      assert.ok(section?.type === 'rtp' && !isRejected(section));
      assert.equal(section.kind, kind);
      assert.ok(codecs.length > 0);
      for (const { payloadType, codec, rtxPayloadType } of codecs) {
        const named: Codec | undefined = section.codecs.find((each) => each.payloadType === payloadType);
        assert.equal(named && codecName(named), codec);
        if (rtxPayloadType === undefined) continue;
        const rtx: Codec | undefined = section.codecs.find((each) => each.payloadType === rtxPayloadType);
        assert.equal(rtx?.parameters.get('apt'), String(payloadType));
      }
    }
    for (const { kind, id } of spec.headerExtensions) {
      for (const section of sections.values()) {
        if (section.type !== 'rtp') continue;
        for (const each of section.extensions) {
          assert.equal(each.id === id, each.uri === headerExtensionUris[kind]);
        }
      }
    }
  }

  /** Tracks of `still` that were sent are sent by the same section and SSRC. */
  checkSticky(spec: NegotiatedSpec, before: readonly OutgoingTrackSpec[], still: ReadonlySet<string>): void {
    for (const old of before) {
      if (!still.has(old.track)) continue;
      const now = spec.outgoing.find(({ track }) => track === old.track);
      assert.deepEqual([now?.mid, now?.ssrc, now?.rtxSsrc], [old.mid, old.ssrc, old.rtxSsrc], 'a track has moved');
    }
  }
}

/** In each section, one track is followed by another only after silence. */
class Silence {
  readonly #shown = new Map<string, string>();

  check(answered: string): void {
    for (const section of parse(answered).sections) {
      if (section.type !== 'rtp') continue;
      const track = section.msids[0]?.track ?? '';
      const before = this.#shown.get(section.mid) ?? '';
      assert.ok(before === '' || track === '' || before === track, `${before} → ${track} without silence`);
      this.#shown.set(section.mid, track);
    }
  }
}

const ids = (wanted: readonly WantedTrack[]): Set<string> => new Set(wanted.map(({ track }) => track));

test('law: single connections keep mids, sections and SSRCs through any sequence of changes, and settle', () => {
  const step = fc.oneof(
    wantedTracks.map((wanted) => ({ type: 'want', wanted }) as const),
    fc.constant({ type: 'offer' } as const),
    fc.constantFrom('audio' as const, 'video' as const).map((kind) => ({ type: 'add', kind }) as const),
    fc.nat(8).map((n) => ({ type: 'publish', cid: `${n % 2 ? 'a' : 'v'}${n}0` }) as const),
    fc.nat(20).map((n) => ({ type: 'unpublish', n }) as const),
    fc.constant({ type: 'restart' } as const),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.constantFrom(chromium, firefox),
      fc.nat(),
      (steps, browser, seed) => {
        const negotiation = new PublisherNegotiation(testOptions(seed));
        const client = new TestClient(browser);
        client.add('data');
        client.add('audio');
        client.add('video');
        const watch = new Watch();
        const silence = new Silence();
        let pending: PendingTrack[] = [];
        let wanted: readonly WantedTrack[] = [];
        const exchange = (): Placement => {
          const before = negotiation.spec.outgoing;
          const offer = client.offer();
          const answer = negotiation.answer(offer, pending, testSite);
          assert.ok(answer.ok, JSON.stringify(answer));
          const published = new Set<string>(answer.published.map(({ track }) => track));
          pending = pending.filter(({ track }) => !published.has(track));
          watch.check(answer.spec, answer.sdp);
          watch.checkSticky(answer.spec, before, ids(wanted));
          silence.check(answer.sdp);
          const mids = (sdp: string): string[] => parse(sdp).sections.map(({ mid }) => mid);
          assert.deepEqual(mids(answer.sdp), mids(offer));
          const sent = answer.spec.outgoing.map(({ mid, track }) => [mid, track]);
          assert.deepEqual(answer.midToTrackId, Object.fromEntries(sent));
          return answer;
        };
        for (const each of steps) {
          if (each.type === 'offer') exchange();
          if (each.type === 'add' && client.sections.length < 20) client.add(each.kind);
          if (each.type === 'restart') client.restartIce();
          if (each.type === 'publish' && client.sections.length < 20) {
            client.send(each.cid);
            pending.push(pendingTrack(each.cid));
          }
          if (each.type === 'unpublish') {
            const section = client.sections[each.n];
            if (section?.direction === 'sendonly') section.direction = 'inactive';
          }
          if (each.type === 'want') {
            wanted = each.wanted;
            const { spec } = negotiation.want(wanted);
            watch.note(spec);
            assert.ok(spec.outgoing.every(({ track }) => ids(wanted).has(track)));
          }
        }
        // A client that does as it is asked has everything after a few offers.
        let placement = exchange();
        for (let round = 0; placement.renegotiate; round++) {
          assert.ok(round < 4, 'does not settle');
          for (const kind of ['audio', 'video'] as const) {
            for (let i = 0; i < placement.missing[kind]; i++) client.add(kind);
          }
          placement = exchange();
        }
        const unsupported = new Set<string>(placement.unsupported);
        const sent = new Set<string>(placement.spec.outgoing.map(({ track }) => track));
        assert.deepEqual(sent, new Set([...ids(wanted)].filter((track) => !unsupported.has(track))));
      },
    ),
    { numRuns: 200 },
  );
});

test('law: subscribers keep mids, sections and SSRCs through any sequence of changes and lost answers, and settle', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: wantedTracks.map((wanted) => ({ type: 'want', wanted }) as const) },
    { weight: 2, arbitrary: fc.constantFrom('keep', 'restart').map((ice) => ({ type: 'offer', ice }) as const) },
    { weight: 2, arbitrary: fc.constant({ type: 'answer' } as const) },
  );
  const lacks = fc.subarray(['H264', 'AV1', 'PCMU']);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), lacks, fc.nat(), (steps, lacking, seed) => {
      const negotiation = new SubscriberNegotiation(testOptions(seed));
      const client = new TestClient(chromium, lacking);
      const watch = new Watch();
      const silence = new Silence();
      let wanted: readonly WantedTrack[] = [];
      let mids: readonly string[] = [];
      let open = '';
      const offer = (ice: 'keep' | 'restart'): void => {
        const before = negotiation.spec.outgoing;
        const made = negotiation.offer(testSite, ice);
        const { sections } = parse(made.sdp);
        const now = sections.map(({ mid }) => mid);
        assert.deepEqual(now.slice(0, mids.length), mids);
        assert.equal(new Set(now).size, now.length);
        mids = now;
        open = made.sdp;
        // An offer that was never answered may have been seen all the same.
        silence.check(made.sdp);
        watch.note(made.spec);
        watch.checkSticky(made.spec, before, ids(wanted));
      };
      const answer = (): Placement => {
        const before = negotiation.spec.outgoing;
        const text = client.answer(open);
        const agreed = negotiation.takeAnswer(text);
        assert.ok(agreed.ok, JSON.stringify(agreed));
        open = '';
        watch.check(agreed.spec, text);
        watch.checkSticky(agreed.spec, before, ids(wanted));
        return agreed;
      };
      for (const each of steps) {
        if (each.type === 'want') {
          wanted = each.wanted;
          const { spec } = negotiation.want(wanted);
          watch.note(spec);
          assert.ok(spec.outgoing.every(({ track }) => ids(wanted).has(track)));
        }
        if (each.type === 'offer') offer(each.ice);
        if (each.type === 'answer' && open !== '') answer();
      }
      offer('keep');
      let placement = answer();
      for (let round = 0; placement.renegotiate; round++) {
        assert.ok(round < 4, 'does not settle');
        offer('keep');
        placement = answer();
      }
      const unsupported = new Set<string>(placement.unsupported);
      const sent = new Set<string>(placement.spec.outgoing.map(({ track }) => track));
      assert.deepEqual(sent, new Set([...ids(wanted)].filter((track) => !unsupported.has(track))));
      for (const track of unsupported) {
        const name = track.slice('TR_'.length);
        assert.ok(
          lacking.some((codec) => mimeTypeOf(name).endsWith(codec)),
          `${name} is supported`,
        );
      }
    }),
    { numRuns: 200 },
  );
});
