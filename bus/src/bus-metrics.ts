import type { Metrics } from '@sluice/runtime';

/** What happened to what was said, since the start. */
export interface BusCounters {
  readonly said: number;
  readonly delivered: number;
  readonly drops: Readonly<Record<string, number>>;
  /** Readers that threw. */
  readonly readerErrors: number;
}

/** Returns what stops it. */
export function exposeBusMetrics(metrics: Metrics, counters: () => BusCounters): () => void {
  const documents = {
    name: 'sluice_bus_documents_total',
    help: 'Documents and questions, by event.',
    labels: ['event'],
  };
  const stopDocuments = metrics.read('counter', documents, () => {
    const { said, delivered, readerErrors } = counters();
    return [
      { value: said, labels: { event: 'said' } },
      { value: delivered, labels: { event: 'delivered' } },
      { value: readerErrors, labels: { event: 'reader-failed' } },
    ];
  });
  const drops = {
    name: 'sluice_bus_drops_total',
    help: 'Documents and questions dropped, by reason.',
    labels: ['reason'],
  };
  const stopDrops = metrics.read('counter', drops, () =>
    Object.entries(counters().drops).map(([reason, value]) => ({ value, labels: { reason } })),
  );
  return () => {
    stopDocuments();
    stopDrops();
  };
}
