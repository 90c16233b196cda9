import { US_PER_S } from '@sluice/contracts';
import type { Counter, Histogram, Metrics } from '@sluice/runtime';
import type { Assessment } from '../quality/qualities.ts';
import { MEASURE_US, type SessionMeasure, type StreamMeasure } from '../quality/session-meter.ts';

const streamLabels = ['direction', 'kind'] as const;
type Totals = 'packets' | 'bytes' | 'lost' | 'repaired' | 'nacks' | 'plis';
const totals: Readonly<Record<Totals, string>> = {
  packets: 'RTP packets of streams, retransmissions apart.',
  bytes: 'RTP payload of streams.',
  lost: 'Packets that were lost on the way and not made good; out: as clients report.',
  repaired: 'Packets that came by retransmission, or were sent again.',
  nacks: 'Packets asked for once more; in: by us, out: by clients.',
  plis: 'Key frames asked for; in: by us, out: by clients.',
};
/** From a voice to a screen in full resolution. */
const RATE_BUCKETS = [8e3, 16e3, 32e3, 64e3, 128e3, 256e3, 512e3, 1e6, 2e6, 4e6, 8e6];
const LOSS_BUCKETS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
const TIME_BUCKETS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1];
const SCORE_BUCKETS = [1.5, 2, 2.6, 3.1, 3.6, 4, 4.3];

/**
 * All streams of a node in numbers whose count does not grow with them: sums and distributions by direction and kind of
 * media. What a single stream does is in the node's snapshots.
 */
export class StreamMetrics {
  readonly #totals: readonly (readonly [Totals, Counter])[];
  readonly #seconds: Counter;
  readonly #rate: Histogram;
  readonly #loss: Histogram;
  readonly #jitter: Histogram;
  readonly #rtt: Histogram;
  readonly #score: Histogram;

  constructor(metrics: Metrics) {
    this.#totals = (Object.entries(totals) as [Totals, string][]).map(([name, help]) => [
      name,
      metrics.counter({ name: `sluice_media_stream_${name}_total`, help, labels: streamLabels }),
    ]);
    this.#seconds = metrics.counter({
      name: 'sluice_media_stream_seconds_total',
      help: 'Time of streams by what they did: flowing, paused, or waiting for packets or a key frame.',
      labels: [...streamLabels, 'state'],
    });
    const distribution = (
      name: string,
      help: string,
      buckets: readonly number[],
      labels: readonly string[],
    ): Histogram => metrics.histogram({ name: `sluice_media_${name}`, help, labels, buckets });
    this.#rate = distribution(
      'stream_bits_per_second',
      'Rate of each stream that moved, each 5 s.',
      RATE_BUCKETS,
      streamLabels,
    );
    this.#loss = distribution(
      'stream_loss_ratio',
      'Share lost of each stream that moved, each 5 s.',
      LOSS_BUCKETS,
      streamLabels,
    );
    this.#jitter = distribution(
      'stream_jitter_seconds',
      'Jitter of each stream that moved, each 5 s.',
      TIME_BUCKETS,
      streamLabels,
    );
    this.#rtt = distribution('session_rtt_seconds', 'Round trip to each client, each 5 s.', TIME_BUCKETS, []);
    this.#score = distribution('session_score', 'Opinion score of each session, each 5 s.', SCORE_BUCKETS, ['quality']);
  }

  add({ measure, quality }: Assessment): void {
    if (measure.rttMs > 0) this.#rtt.observe(measure.rttMs / 1_000);
    if (quality !== undefined) this.#score.observe(quality.score, { quality: quality.quality });
    for (const stream of measure.streams) this.#stream(stream, measure);
  }

  #stream(stream: StreamMeasure, { spanUs }: SessionMeasure): void {
    const { direction, kind, packets, bytes, lost, jitterMs, state } = stream;
    const labels = { direction, kind };
    for (const [name, counter] of this.#totals) counter.add(stream[name], labels);
    this.#seconds.add(spanUs / US_PER_S, { ...labels, state });
    if (packets === 0) return;
    this.#rate.observe((bytes * 8 * US_PER_S) / Math.max(spanUs, MEASURE_US), labels);
    this.#loss.observe(Math.min(1, lost / (direction === 'in' ? packets + lost : packets)), labels);
    this.#jitter.observe(jitterMs / 1_000, labels);
  }
}
