import type { Quantiles } from './measure.ts';
import type { LoadReport } from './report.ts';
import type { MemoryReport, ServerReport } from './server-watch.ts';

const WIDTH = 12;
const LABEL_WIDTH = 26;

/** A report for people. */
export function table(report: LoadReport): string {
  const { clients, streams, video, audio, load, server, problems } = report;
  const lines = [
    '',
    `measured for ${report.measuredS.toFixed(0)} s`,
    '',
    row('clients', `${clients.connected} of ${clients.wanted} connected`, dropsOf(clients)),
    ...departuresOf(clients),
    row('streams', `${streams.flowing} of ${streams.expected} came`),
    row('received', bits(report.receivedBps)),
    '',
    columns('', ['p50', 'p95', 'p99', 'max']),
    quantileRow('join', report.joinMs, ms),
    quantileRow('media up', report.connectMs, ms),
    quantileRow('first frame', report.firstFrameMs, ms),
    quantileRow("delay, streams' median", report.delayP50Ms, ms),
    quantileRow("delay, streams' p99", report.delayP99Ms, ms),
    quantileRow('video bitrate', video.bps, bits),
    '',
  ];
  if (video.streams > 0) {
    const { loss, framesShown, freezesPerMinute, frozen } = video;
    const freezes = `${freezesPerMinute.toFixed(2)} freezes a minute, ${percent(frozen)} of the time`;
    lines.push(row('video', `${percent(loss)} lost`, `${percent(framesShown)} of frames shown`, freezes));
    if (video.byEncoding.length > 1) {
      const encodings = `${video.byEncoding.join(', ')} streams by encoding, the lowest first`;
      lines.push(row('', encodings, `${video.switchesPerMinute.toFixed(2)} switches a minute`));
    }
    if (video.brokenReferences > 0) lines.push(row('', `${video.brokenReferences} frames without what they refer to`));
  }
  if (audio.streams > 0) lines.push(row('audio', `${percent(audio.loss)} lost`, `${percent(audio.concealed)} made up`));
  const cost = `${percent(load.cpuShare)} of ${load.threads} threads`;
  lines.push(row('the load itself', cost, `late by ${ms(load.worstLagMs)} at worst`));
  if (server !== undefined) lines.push(...serverLines(server));
  for (const [problem, count] of Object.entries(problems).slice(0, MOST_PROBLEMS))
    lines.push(row('problem', `${count} × ${problem}`));
  return lines.join('\n');
}

const MOST_PROBLEMS = 10;

const row = (label: string, ...values: string[]): string =>
  `${label.padEnd(LABEL_WIDTH)}${values.filter((value) => value !== '').join(', ')}`;

function dropsOf({ dropped, resumes, rejoins }: LoadReport['clients']): string {
  if (dropped + resumes + rejoins === 0) return '';
  return `${dropped} dropped, ${resumes} attempts to resume, ${rejoins} to join anew`;
}

function departuresOf({ departures: { leave, crash, vanish } }: LoadReport['clients']): string[] {
  if (leave + crash + vanish === 0) return [];
  return [row('came and went', `${leave} left`, `${crash} crashed`, `${vanish} vanished without a word`)];
}

/** Memory, and the tables that were ever in use. */
function serverLines({ memory, heap, tables }: ServerReport): string[] {
  const memoryRow = (label: string, of: MemoryReport): string => {
    const grown = `${of.growth < 0 ? '−' : '+'}${percent(Math.abs(of.growth))}`;
    return `${columns(label, of.bytes.map(megabytes))}  most ${megabytes(of.mostBytes)}, ${grown} while measured`;
  };
  const used = Object.entries(tables).filter(([, values]) => values.some((value) => value !== 0));
  return [
    '',
    columns('the server', ['before', 'start', 'end', 'after']),
    memoryRow('memory', memory),
    memoryRow('heap', heap),
    ...used.map(([name, values]) =>
      columns(
        name.replace(/^sluice_/, '').replaceAll('_', ' '),
        values.map((value) => value.toFixed(0)),
      ),
    ),
    '',
  ];
}

function quantileRow(label: string, of: Quantiles, show: (value: number) => string): string {
  const values = [of.p50, of.p95, of.p99, of.max].map((value) => (of.count === 0 ? '–' : show(value)));
  return columns(label, values);
}

const columns = (label: string, values: readonly string[]): string =>
  [label.padEnd(LABEL_WIDTH), ...values.map((value) => value.padStart(WIDTH))].join('');

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ms`;
const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;

function bits(bps: number): string {
  if (bps >= 1e9) return `${(bps / 1e9).toFixed(2)} Gbit/s`;
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(2)} Mbit/s` : `${(bps / 1e3).toFixed(0)} kbit/s`;
}
