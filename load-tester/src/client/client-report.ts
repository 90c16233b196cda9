import type { PeerMediaReport, ReceivedStreamReport, SentStreamReport } from '@sluice/packet-path';
import type { ReceivedTrack } from './peer-connection.ts';
import type { Publication } from './publication.ts';
import type { Roster } from './roster.ts';

/** What a client sends and receives now, by track. */
export interface ClientReport {
  readonly received: readonly TrackReceived[];
  readonly sent: readonly TrackSent[];
  /** The largest of its connections'; 0: not measured. */
  readonly rttMs: number;
}

export interface TrackReceived {
  readonly track: string;
  /** Whose; empty: of nobody who is there. */
  readonly identity: string;
  readonly kind: 'audio' | 'video';
  readonly muted: boolean;
  readonly stream: ReceivedStreamReport | undefined;
}

export interface TrackSent {
  /** The name under which it was published. */
  readonly name: string;
  readonly track: string | undefined;
  readonly kind: 'audio' | 'video';
  /** See `Publication.mark`. */
  readonly mark: number;
  readonly streams: readonly SentStreamReport[];
}

export interface ClientReportParts {
  readonly publications: ReadonlyMap<string, Publication>;
  readonly roster: Roster;
  readonly received: readonly ReceivedTrack[];
  readonly reports: readonly PeerMediaReport[];
}

export function clientReport({ publications, roster, received, reports }: ClientReportParts): ClientReport {
  const sinks = new Map(reports.flatMap((report) => report.received).map((stream) => [stream.ssrc, stream]));
  const sources = new Map(reports.flatMap((report) => report.sent).map((stream) => [stream.ssrc, stream]));
  return {
    received: received.map(({ track, kind, ssrc }) => {
      const known = roster.find(track);
      const stream = sinks.get(ssrc);
      return { track, identity: known?.identity ?? '', kind, muted: known?.muted ?? false, stream };
    }),
    sent: [...publications].map(([name, { track, wish, mark, layers }]) => ({
      name,
      track,
      kind: wish.kind,
      mark,
      streams: layers.flatMap(({ ssrc }) => sources.get(ssrc) ?? []),
    })),
    rttMs: Math.max(0, ...reports.map(({ rttMs }) => rttMs)),
  };
}
