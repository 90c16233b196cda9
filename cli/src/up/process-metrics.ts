import type { Metrics } from '@sluice/runtime';

/** What this process holds of the system's. */
export function exposeProcess(metrics: Metrics): void {
  metrics.read(
    'gauge',
    { name: 'sluice_process_resources', help: 'What keeps the event loop alive, by type.', labels: ['type'] },
    () => {
      const counts = new Map<string, number>();
      for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
      return [...counts].map(([type, value]) => ({ value, labels: { type } }));
    },
  );
  metrics.read('gauge', { name: 'sluice_process_memory_bytes', help: 'Memory, by kind.', labels: ['kind'] }, () => {
    const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
    return Object.entries({ rss, heapTotal, heapUsed, external }).map(([kind, value]) => ({ value, labels: { kind } }));
  });
}
