import { median } from '../statistics.ts';
import { markdownTable } from '../table.ts';
import type { Full, Round } from './round.ts';
import type { Shape } from './shapes.ts';

/** Everything that was found, as the JSON file has it. */
export interface PeersReport {
  readonly machine: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly peers: readonly PeerReport[];
  readonly shapes: readonly ShapeReport[];
  readonly full: readonly FullReport[];
}

export interface PeerReport {
  readonly name: string;
  /** Undefined: it could not run, see `missing`. */
  readonly version: string | undefined;
  readonly missing: string | undefined;
  readonly notes: readonly string[];
}

export interface ShapeReport {
  readonly shape: Shape;
  readonly peer: string;
  readonly rounds: readonly Round[];
  /** Why a round came to nothing. */
  readonly failures: readonly string[];
}

export interface FullReport {
  readonly peer: string;
  readonly full: Full | undefined;
  readonly failure: string | undefined;
}

/** Half of a frame in a thousand: less is not seen by anyone. */
const LOSS_WORTH_SAYING = 0.0005;
/** Above it the load's thread may be what is measured. */
const BUSY_LOAD = 0.85;

export function peersText(report: PeersReport): string {
  const parts = [peersList(report.peers), shapesTable(report)];
  if (report.full.length > 0) parts.push(fullTable(report.full));
  return `${parts.join('\n\n')}\n`;
}

function peersList(peers: readonly PeerReport[]): string {
  return peers
    .map(({ name, version, missing, notes }) =>
      missing === undefined ? `- **${name}** (${version}): ${notes.join('; ')}.` : `- **${name}**: not run. ${missing}`,
    )
    .join('\n');
}

function shapesTable({ shapes }: PeersReport): string {
  const head = ['load', 'server', 'µs/packet', 'core', 'packets/s', 'p50 ms', 'p99 ms', 'lost', 'KiB/receiver', ''];
  const rows = shapes.map(({ shape, peer, rounds, failures }) => {
    if (rounds.length === 0) return [shape.title, peer, ...Array(7).fill('–'), failures[0] ?? ''];
    const middle = (of: (round: Round) => number): number => median(rounds.map(of));
    return [
      shape.title,
      peer,
      middle(({ cpuUsPerPacket }) => cpuUsPerPacket).toFixed(2),
      percent(middle(({ core }) => core)),
      thousands(middle(({ packetsPerSecond }) => packetsPerSecond)),
      (middle(({ delayP50Us }) => delayP50Us) / 1_000).toFixed(2),
      (middle(({ delayP99Us }) => delayP99Us) / 1_000).toFixed(2),
      lossText(middle(({ loss }) => loss)),
      (middle(({ residentBytesPerReceiver }) => residentBytesPerReceiver) / 1_024).toFixed(0),
      remarks(rounds, failures).join('; '),
    ];
  });
  return markdownTable(head, rows, [0, 1, 9]);
}

function remarks(rounds: readonly Round[], failures: readonly string[]): string[] {
  const out: string[] = [];
  const middle = (of: (round: Round) => number): number => median(rounds.map(of));
  if (middle(({ loss }) => loss) > LOSS_WORTH_SAYING && middle(({ core }) => core) > 0.9) {
    out.push('its core is full: delays and losses are those of a server with too much to do');
  }
  if (middle(({ load }) => load) > BUSY_LOAD) out.push('the load was busy itself');
  if (rounds.some(({ dropped }) => dropped > 0)) out.push('clients’ own sockets dropped packets');
  if (failures.length > 0) out.push(`${failures.length} rounds failed: ${failures[0]}`);
  return out;
}

function fullTable(full: readonly FullReport[]): string {
  const head = ['one room, growing', 'subscribers without loss', 'packets/s', 'core', 'then'];
  const rows = full.map(({ peer, full, failure }) =>
    full === undefined
      ? [peer, '–', '–', '–', failure ?? '']
      : [peer, String(full.subscribers), thousands(full.packetsPerSecond), percent(full.core), full.end],
  );
  return markdownTable(head, rows, [0, 4]);
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
const lossText = (share: number): string => (share < LOSS_WORTH_SAYING ? '0' : `${(share * 100).toFixed(1)} %`);
const thousands = (value: number): string => `${(value / 1_000).toFixed(1)} k`;
