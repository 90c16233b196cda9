import type { Metrics } from '@sluice/runtime';
import type { Rooms } from './rooms/rooms.ts';

/** Shows a controller's numbers. Returns what stops it. */
export function exposeMetrics(metrics: Metrics, rooms: Rooms): () => void {
  const stops = [
    metrics.read('gauge', { name: 'sluice_controller_rooms', help: 'Rooms that this controller owns.' }, () => [
      { value: rooms.counts().rooms },
    ]),
    metrics.read('gauge', { name: 'sluice_controller_participants', help: 'Participants in rooms it owns.' }, () => [
      { value: rooms.counts().participants },
    ]),
    metrics.read(
      'gauge',
      { name: 'sluice_controller_intents', help: 'Intents known, also of rooms of others.' },
      () => [{ value: rooms.counts().intents }],
    ),
    metrics.read(
      'counter',
      { name: 'sluice_controller_refused_documents_total', help: 'Intents that were not taken.', labels: ['reason'] },
      () => Object.entries(rooms.refusedDocuments()).map(([reason, value]) => ({ value, labels: { reason } })),
    ),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
