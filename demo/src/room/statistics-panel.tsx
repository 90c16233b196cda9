import { type Participant, Track, type TrackPublication } from 'livekit-client';
import { useEffect, useState } from 'preact/hooks';
import { type Call, nameOf } from '../call/call.ts';
import {
  bitrateText,
  type Counters,
  msText,
  percentText,
  type Report,
  readTrack,
  type TrackFigures,
} from '../call/statistics.ts';
import { CameraIcon, MicrophoneIcon, ScreenIcon } from '../ui/icons.tsx';
import { PanelFrame } from './panel.tsx';

const SAMPLE_MS = 1_000;
const HISTORY = 60;

interface Series {
  readonly counters: Counters;
  readonly figures: TrackFigures;
  /** Bits per second, one a sample, the newest last. */
  readonly bitrates: readonly number[];
}

type AllSeries = ReadonlyMap<string, Series>;

export function StatisticsPanel({ call, close }: { call: Call; close: () => void }) {
  const series = useSeries(call);
  const { room } = call;
  return (
    <PanelFrame title="Statistics" close={close}>
      <div class="statistics">
        <dl class="connection">
          <div>
            <dt>Connection</dt>
            <dd>{call.reconnecting ? 'reconnecting' : room.state}</dd>
          </div>
          <div>
            <dt>Server</dt>
            <dd>{room.serverInfo?.debugInfo || room.serverInfo?.version || '–'}</dd>
          </div>
          <div>
            <dt>Your session</dt>
            <dd>
              <code>{room.localParticipant.sid}</code>
            </dd>
          </div>
        </dl>
        {call.participants.map((participant) => (
          <ParticipantStatistics
            key={participant.sid}
            participant={participant}
            mine={participant === room.localParticipant}
            series={series}
          />
        ))}
      </div>
    </PanelFrame>
  );
}

interface ParticipantStatisticsProps {
  readonly participant: Participant;
  readonly mine: boolean;
  readonly series: AllSeries;
}

function ParticipantStatistics({ participant, mine, series }: ParticipantStatisticsProps) {
  const publications = [...participant.trackPublications.values()];
  return (
    <section>
      <h3>
        {nameOf(participant)}
        <small>{mine ? 'sent' : 'received'}</small>
      </h3>
      {publications.length === 0 && <p class="empty">Publishes nothing.</p>}
      {publications.map((publication) => (
        <TrackStatistics
          key={publication.trackSid}
          publication={publication}
          series={series.get(publication.trackSid)}
        />
      ))}
    </section>
  );
}

function TrackStatistics({ publication, series }: { publication: TrackPublication; series: Series | undefined }) {
  const figures = series?.figures;
  const video = publication.kind === Track.Kind.Video;
  return (
    <div class="track">
      <p class="track-head">
        <SourceIcon source={publication.source} />
        <span>{sourceNames[publication.source] ?? 'Track'}</span>
        {figures?.codec && <span class="codec">{figures.codec}</span>}
        {publication.isMuted && <span class="codec">off</span>}
        <Sparkline values={series?.bitrates ?? []} />
      </p>
      <dl>
        {video && <Figure name="Size" value={figures?.size || '–'} />}
        {video && <Figure name="Frames" value={figures?.fps === undefined ? '–' : `${Math.round(figures.fps)} fps`} />}
        <Figure name="Bitrate" value={bitrateText(figures?.bitrateBps)} />
        <Figure name="Loss" value={percentText(figures?.loss)} />
        <Figure name="Round trip" value={msText(figures?.roundTripMs)} />
        <Figure name="Jitter" value={msText(figures?.jitterMs)} />
      </dl>
    </div>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function SourceIcon({ source }: { source: Track.Source }) {
  if (source === Track.Source.Camera) return <CameraIcon />;
  if (source === Track.Source.Microphone) return <MicrophoneIcon />;
  return <ScreenIcon />;
}

const sourceNames: Partial<Record<Track.Source, string>> = {
  [Track.Source.Camera]: 'Camera',
  [Track.Source.Microphone]: 'Microphone',
  [Track.Source.ScreenShare]: 'Screen',
  [Track.Source.ScreenShareAudio]: 'Screen’s sound',
};

function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const points = values.map((value, i) => `${HISTORY - values.length + i},${(19 - (value / most) * 17).toFixed(1)}`);
  return (
    <svg class="sparkline" viewBox={`0 0 ${HISTORY} 20`} preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} />
    </svg>
  );
}

/** Reads every track's report once a second while the panel is open. */
function useSeries(call: Call): AllSeries {
  const [series, setSeries] = useState<AllSeries>(new Map());
  useEffect(() => {
    let gone = false;
    let last: AllSeries = new Map();
    const sample = async (): Promise<void> => {
      const publications = call.participants.flatMap((participant) => [...participant.trackPublications.values()]);
      const entries = await Promise.all(
        publications.map(
          async ({ track, trackSid }) => [trackSid, await readSeries(track, last.get(trackSid))] as const,
        ),
      );
      if (gone) return;
      last = new Map(entries.flatMap(([sid, one]) => (one === undefined ? [] : [[sid, one] as const])));
      setSeries(last);
    };
    void sample();
    const timer = setInterval(() => void sample(), SAMPLE_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [call]);
  return series;
}

async function readSeries(track: Track | undefined, before: Series | undefined): Promise<Series | undefined> {
  const reporting = track as (Track & { getRTCStatsReport?(): Promise<RTCStatsReport | undefined> }) | undefined;
  const report = await reporting?.getRTCStatsReport?.();
  const read = report === undefined ? undefined : readTrack(report.values() as Report, before?.counters);
  if (read === undefined) return undefined;
  const bitrates = [...(before?.bitrates ?? []), read.figures.bitrateBps ?? 0].slice(-HISTORY);
  return { ...read, bitrates };
}
