import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionQuality, SessionId, SessionSpec, TrackId } from '@sluice/contracts';
import { sampleSpec } from '@sluice/contracts/internal';
import type { SessionSnapshot } from '@sluice/packet-path';
import { Qualities } from './qualities.ts';
import { MEASURE_US } from './session-meter.ts';
import { incomingStream, outgoingStream, sessionSnapshot } from './test-streams.ts';

const VIDEO = 'TR_VCtwo' as TrackId;
const PUBLISHER = 'SE_pub' as SessionId;
const SUBSCRIBER = 'SE_sub' as SessionId;

const wishFor = (quality: 'low' | 'high'): SessionSpec =>
  sampleSpec(SUBSCRIBER, {
    outgoing: [
      {
        track: VIDEO,
        kind: 'video',
        mid: '1',
        ssrc: 2,
        codecs: [],
        paused: false,
        wish: { quality, maxFps: 0, priority: 0, widthPx: 0, heightPx: 0, mayPause: true },
      },
    ],
  });

/** A publisher of two layers and a subscriber, looked at every 5 s. */
class Stage {
  readonly qualities = new Qualities();
  nowUs = 0;
  #looks = 0;

  /** Bytes each span. */
  look(spec: SessionSpec, layers: readonly number[], sent: number): ConnectionQuality | undefined {
    this.#looks++;
    const n = this.#looks;
    this.nowUs += MEASURE_US;
    this.#observe(sampleSpec(PUBLISHER), {
      session: PUBLISHER,
      incoming: layers.map((bytes, i) =>
        incomingStream({ track: VIDEO, kind: 'video', ssrc: i + 1, packets: n * 1_000, bytes: n * bytes }),
      ),
    });
    const outgoing = [outgoingStream({ track: VIDEO, packets: n * 1_000, bytes: n * sent })];
    return this.#observe(spec, { session: SUBSCRIBER, outgoing });
  }

  #observe(spec: SessionSpec, over: Partial<SessionSnapshot>): ConnectionQuality | undefined {
    const snapshot = sessionSnapshot({ datagramsIn: this.#looks, rttMs: 20, ...over });
    return this.qualities.observe(spec, snapshot, this.nowUs)?.quality;
  }
}

test('quality: a subscriber who gets less than there is of use to it has a worse connection', () => {
  const small = new Stage();
  const large = new Stage();
  for (let i = 0; i < 3; i++) {
    small.look(wishFor('low'), [100_000, 1_500_000], 100_000);
    large.look(wishFor('high'), [100_000, 1_500_000], 100_000);
  }
  assert.equal(small.look(wishFor('low'), [100_000, 1_500_000], 100_000)?.quality, 'excellent');
  assert.equal(large.look(wishFor('high'), [100_000, 1_500_000], 100_000)?.quality, 'poor');
});

test('quality: who sends nothing at all is lost, and a session of which nothing can be judged says nothing', () => {
  const qualities = new Qualities();
  const silent = sessionSnapshot({ datagramsIn: 5 });
  qualities.observe(sampleSpec(PUBLISHER), silent, 0);
  assert.equal(qualities.observe(sampleSpec(PUBLISHER), silent, MEASURE_US)?.quality, undefined);
  assert.deepEqual(qualities.observe(sampleSpec(PUBLISHER), silent, 2 * MEASURE_US)?.quality, {
    quality: 'lost',
    score: 1,
  });
});

test('quality: a muted microphone is no loss, and a stream that begins anew counts from its beginning', () => {
  const qualities = new Qualities();
  const look = (n: number, packets: number, lost: number): ConnectionQuality | undefined =>
    qualities.observe(
      sampleSpec(PUBLISHER),
      sessionSnapshot({ datagramsIn: n, incoming: [incomingStream({ packets, lost })] }),
      n * MEASURE_US,
    )?.quality;
  look(0, 1_000, 0);
  assert.equal(look(1, 1_002, 2), undefined);
  assert.equal(look(2, 250, 0)?.quality, 'excellent');
});

test('quality: a forgotten session leaves nothing behind', () => {
  const stage = new Stage();
  for (let i = 0; i < 3; i++) stage.look(wishFor('high'), [100_000], 100_000);
  assert.ok(stage.qualities.said(SUBSCRIBER) !== undefined);
  stage.qualities.forget(SUBSCRIBER);
  stage.qualities.forget(PUBLISHER);
  assert.equal(stage.qualities.said(SUBSCRIBER), undefined);
});
