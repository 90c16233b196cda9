import type { Metrics } from '@sluice/runtime';
import type { SessionCounters } from './ports.ts';
import type { SocketCounters } from './websocket/client-socket.ts';

/** What is read whenever somebody looks. */
export interface SignalingGauges {
  readonly sessions: number;
  readonly rooms: number;
  readonly sockets: number;
  readonly intents: number;
  readonly specs: number;
}

export interface SignalingMetrics {
  readonly counters: SessionCounters & SocketCounters;
  readonly stop: () => void;
}

/** Seconds; the bounds that SDKs hold are 1 s for the join and 5 s for all. */
const JOIN_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Numbers of a signaling server. */
export function signalingMetrics(metrics: Metrics, gauges: () => SignalingGauges): SignalingMetrics {
  return { counters: counters(metrics), stop: exposeGauges(metrics, gauges) };
}

function counters(metrics: Metrics): SessionCounters & SocketCounters {
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    metrics.counter({ name: `sluice_signaling_${name}`, help, labels });
  const seconds = (name: string, help: string) =>
    metrics.histogram({ name: `sluice_signaling_${name}`, help, buckets: JOIN_BUCKETS_S });
  const joinSeconds = seconds('join_seconds', 'From the connect request to the join message.');
  const connectSeconds = seconds('connect_seconds', 'From the connect request until media was up.');
  const resumes = counter('resumes_total', 'Clients that came back to their session, or were refused.', ['result']);
  const refused = counter('refused_total', 'Connect requests refused, by HTTP status.', ['status']);
  const refusedMessages = counter('refused_messages_total', 'Messages of clients that were refused.', ['reason']);
  const ended = counter('sessions_ended_total', 'Sessions that ended.', ['reason']);
  const closed = counter('sockets_cut_total', 'Sockets that this server cut off.', ['reason']);
  const frames = counter('frames_total', 'WebSocket messages.', ['way']);
  const bytes = counter('frame_bytes_total', 'Bytes of WebSocket messages.', ['way']);
  return {
    joined: (afterUs) => joinSeconds.observe(afterUs / 1_000_000),
    connected: (afterUs) => connectSeconds.observe(afterUs / 1_000_000),
    resumed: (result) => resumes.add(1, { result }),
    refused: (status) => refused.add(1, { status: String(status) }),
    messageRefused: (reason) => refusedMessages.add(1, { reason }),
    ended: (reason) => ended.add(1, { reason }),
    slowReader: () => closed.add(1, { reason: 'slow-reader' }),
    silent: () => closed.add(1, { reason: 'silent' }),
    oversized: () => closed.add(1, { reason: 'oversized-frame' }),
    frame: (way, size) => {
      frames.add(1, { way });
      bytes.add(size, { way });
    },
  };
}

function exposeGauges(metrics: Metrics, gauges: () => SignalingGauges): () => void {
  const gauge = (name: keyof SignalingGauges, help: string): (() => void) =>
    metrics.read('gauge', { name: `sluice_signaling_${name}`, help }, () => [{ value: gauges()[name] }]);
  const stops = [
    gauge('sessions', 'Participants of this process.'),
    gauge('rooms', 'Rooms that have participants of this process.'),
    gauge('sockets', 'Open WebSockets.'),
    gauge('intents', 'Intents kept, those of participants that left a moment ago included.'),
    gauge('specs', 'Session specs kept.'),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
