import type { PathSnapshot } from '@sluice/packet-path';
import type { MetricDescription, Metrics, Sample } from '@sluice/runtime';
import type { Reconciler } from './reconcile/reconciler.ts';
import { dropsOf } from './report/node-load.ts';
import type { Reporter } from './report/reporter.ts';

/** Shows a node's numbers: its own, and all that the packet path counts. Returns what stops it. */
export function exposeMetrics(
  metrics: Metrics,
  of: { readonly reconciler: Reconciler; readonly reporter: Reporter },
): () => void {
  const { reconciler, reporter } = of;
  const stops = [
    ...countsOf(reconciler).map(([name, help, count]) =>
      metrics.read('gauge', { name: `sluice_media_${name}`, help }, () => [{ value: count() }]),
    ),
    metrics.read('counter', documentEvents, () => labelled('event', { ...reconciler.counters() })),
    metrics.read('counter', drops, () => labelled('reason', dropsOf(reporter.snapshot))),
    metrics.read('counter', events, () => perShard(reporter.snapshot, ({ counters }) => counters)),
    metrics.read('counter', io, () => perShard(reporter.snapshot, ioNumbers)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

const documentEvents: MetricDescription = {
  name: 'sluice_media_document_events_total',
  help: 'What became of specs and questions, by event.',
  labels: ['event'],
};
const drops: MetricDescription = {
  name: 'sluice_media_drops_total',
  help: 'Datagrams, packets and messages dropped, by reason.',
  labels: ['reason'],
};
const events: MetricDescription = {
  name: 'sluice_media_events_total',
  help: 'What the packet path did, by event and shard.',
  labels: ['event', 'shard'],
};
const io: MetricDescription = {
  name: 'sluice_media_io_total',
  help: 'What the sockets and threads did, by number and shard.',
  labels: ['event', 'shard'],
};

const countsOf = (reconciler: Reconciler): (readonly [name: string, help: string, count: () => number])[] => [
  ['specs', 'Sessions of the site that this node knows.', () => reconciler.counts().specs],
  ['sessions', 'Sessions that this node holds.', () => reconciler.counts().sessions],
  ['incoming_tracks', 'Tracks that its clients publish.', () => reconciler.counts().incomingTracks],
  ['outgoing_tracks', 'Tracks that its clients receive.', () => reconciler.counts().outgoingTracks],
];

function ioNumbers({ io: { drops: _, ...numbers } }: PathSnapshot['shards'][number]): Readonly<Record<string, number>> {
  return numbers;
}

const labelled = (label: string, numbers: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(numbers).map(([name, value]) => ({ value, labels: { [label]: kebab(name) } }));

const perShard = (
  { shards }: PathSnapshot,
  numbers: (shard: PathSnapshot['shards'][number]) => Readonly<Record<string, number>>,
): Sample[] =>
  shards.flatMap((shard) =>
    Object.entries(numbers(shard)).map(([name, value]) => ({
      value,
      labels: { event: kebab(name), shard: String(shard.shard) },
    })),
  );

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
