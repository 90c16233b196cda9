import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { parseArgs } from 'node:util';
import { errorMessage } from '@sluice/runtime';
import { loadNative } from '../native.ts';
import { pin } from '../pin.ts';
import { atHighestPriority } from '../priority.ts';
import type { PeerAdapter } from './adapter.ts';
import { janus } from './janus.ts';
import { mediaNode } from './media-node.ts';
import { type FullReport, type PeerReport, peersText, type ShapeReport } from './report.ts';
import { measureFull, measureRound, type RoundOptions, withPeer } from './round.ts';
import { type Shape, shapes } from './shapes.ts';
import { sluice } from './sluice.ts';

/** Whoever is to be measured beside the others is named here. */
const adapters: readonly PeerAdapter[] = [sluice, mediaNode, janus];

/** The measured server has a core of its own; its clients have the other. */
const SERVER_CPU = 0;
const LOAD_CPU = 1;

/** Each a fifth to a half above the last: what a core can do is known to within that. */
const STEPS = [200, 300, 450, 650, 850, 1_000, 1_500, 2_000, 2_500, 3_000];
const QUICK_STEPS = [300, 600, 1_000, 1_500];
/** What a quick look leaves out; the growing room says as much. */
const SLOW_SHAPE = '1-500';

const usage = `npm run bench -- peers [--quick] [--rounds 3] [--seconds 3] [--only Sluice,Janus] [--shapes 1-10,…] [--json file]
  --quick     one short round of each, in under three minutes
  --only      servers: ${adapters.map(({ name }) => name).join(', ')}
  --shapes    loads: ${shapes.map(({ name }) => name).join(', ')}, full`;

/** `npm run bench -- peers` */
export async function peersCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      shapes: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const { quick } = values;
  const wantedPeers = chosen(
    values.only,
    adapters.map(({ name }) => name),
  );
  const wantedShapes = chosen(values.shapes, [...shapes.map(({ name }) => name), 'full']);
  if (quick && values.shapes === undefined) wantedShapes.delete(SLOW_SHAPE);
  const rounds = Number(values.rounds ?? (quick ? 1 : 3));
  const seconds = Number(values.seconds ?? (quick ? 2 : 3));

  const native = loadNative();
  atHighestPriority();
  pin(process.pid, LOAD_CPU);
  const wanted = adapters.filter(({ name }) => wantedPeers.has(name));
  const peers = await Promise.all(wanted.map(describe));
  const able = wanted.filter((_, index) => peers[index]?.missing === undefined);
  const options = (adapter: PeerAdapter): RoundOptions => ({
    adapter,
    cpuUs: (pid) => native.processCpuUs(pid) ?? 0,
    cpu: SERVER_CPU,
    seconds,
    settleSeconds: quick ? 1 : 2,
  });

  const found = await measureShapes(
    able,
    shapes.filter(({ name }) => wantedShapes.has(name)),
    { rounds, options },
  );
  const full = wantedShapes.has('full') ? await measureAllFull(able, options, quick ? QUICK_STEPS : STEPS) : [];
  const report = { machine: machine(), rounds, seconds, peers, shapes: found, full };
  process.stdout.write(peersText(report));
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
}

function chosen(text: string | undefined, all: readonly string[]): Set<string> {
  const wanted = text === undefined ? all : text.split(',').map((one) => one.trim());
  const unknown = wanted.find((one) => !all.includes(one));
  if (unknown !== undefined) throw new Error(`"${unknown}" is none of ${all.join(', ')}.`);
  return new Set(wanted);
}

/** Starts it once: what cannot start is said before the others are measured. */
async function describe(adapter: PeerAdapter): Promise<PeerReport> {
  const nothing = { name: adapter.name, version: undefined, notes: [] };
  const missing = adapter.missing();
  if (missing !== undefined) {
    process.stderr.write(`${missing}\n`);
    return { ...nothing, missing };
  }
  try {
    return await withPeer({ adapter, cpu: SERVER_CPU }, async ({ peer: { version, notes } }) => {
      return { name: adapter.name, version, missing: undefined, notes };
    });
  } catch (error) {
    process.stderr.write(`${adapter.name}: ${errorMessage(error)}\n`);
    return { ...nothing, missing: errorMessage(error) };
  }
}

interface Rounds {
  readonly rounds: number;
  readonly options: (adapter: PeerAdapter) => RoundOptions;
}

/** Servers take turns within each round, so that what changes on the machine meanwhile meets them all. */
async function measureShapes(
  able: readonly PeerAdapter[],
  wanted: readonly Shape[],
  { rounds, options }: Rounds,
): Promise<ShapeReport[]> {
  const out: ShapeReport[] = [];
  for (const shape of wanted) {
    const found = able.map(({ name }) => ({ shape, peer: name, rounds: [] as Round[], failures: [] as string[] }));
    for (let round = 1; round <= rounds; round += 1) {
      for (const [index, adapter] of able.entries()) {
        process.stderr.write(`${shape.title}: ${adapter.name}, round ${round} of ${rounds} …\n`);
        try {
          found[index]?.rounds.push(await measureRound(options(adapter), shape));
        } catch (error) {
          found[index]?.failures.push(errorMessage(error));
        }
      }
    }
    out.push(...found);
  }
  return out;
}

type Round = Awaited<ReturnType<typeof measureRound>>;

async function measureAllFull(
  able: readonly PeerAdapter[],
  options: Rounds['options'],
  steps: readonly number[],
): Promise<FullReport[]> {
  const out: FullReport[] = [];
  for (const adapter of able) {
    process.stderr.write(`One room, growing: ${adapter.name} …\n`);
    try {
      const full = await measureFull({ ...options(adapter), seconds: 2 }, steps);
      out.push({ peer: adapter.name, full, failure: undefined });
    } catch (error) {
      out.push({ peer: adapter.name, full: undefined, failure: errorMessage(error) });
    }
  }
  return out;
}

const machine = (): string => `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Linux ${release()}`;
