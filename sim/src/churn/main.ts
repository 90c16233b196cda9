import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemRandom } from '@sluice/runtime';
import { type ChurnMoment, type ChurnOutcome, runChurn } from './churn.ts';

/** `npm run churn -- [--hours 4] [--seed 1]`: hours of simulated churn; fails when memory grows or anything is wrong. */
const { values } = parseArgs({
  options: { hours: { type: 'string', default: '4' }, seed: { type: 'string' } },
});
const hours = Number(values.hours);
const seed = values.seed === undefined ? Buffer.from(systemRandom(4)).readUInt32BE() % 1_000_000 : Number(values.seed);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const PERIOD_S = 600;
const DOING_S = 540;
const MOST_GROWTH = 0.05;

if (!(hours > 0) || !Number.isInteger(seed)) {
  console.error('npm run churn -- [--hours <hours above 0>] [--seed <whole number>]');
  process.exitCode = 2;
} else {
  const periods = Math.max(1, Math.round((hours * 3600) / PERIOD_S));
  console.log(`seed ${seed}, ${periods} periods of ${PERIOD_S} s`);
  const outcome = await runChurn(
    { seed, periods, doingS: DOING_S, deedsPerMinute: 30, rooms: 3, people: 4 },
    {
      // What is garbage is nobody's growth.
      memory: () => {
        collect();
        const { heapUsed, rss } = process.memoryUsage();
        return { heapBytes: heapUsed, residentBytes: rss };
      },
      tell: (moment) => console.log(line(moment)),
    },
  );
  process.exitCode = judged(outcome) ? 0 : 1;
}

function line({ atS, present, heapBytes, residentBytes, tables }: ChurnMoment): string {
  const held = Object.entries(tables).map(([name, value]) => `${name.replace(/^sluice_/, '')} ${value}`);
  const memory = `heap ${megabytes(heapBytes)}, resident ${megabytes(residentBytes)}`;
  return `${(atS / 3600).toFixed(2)} h: ${present} clients, ${memory} | ${held.join(', ')}`;
}

function judged({ wrong, done, heapGrowth, residentGrowth, seed: used }: ChurnOutcome): boolean {
  console.log(`done: ${JSON.stringify(done)}`);
  console.log(`heap ${percent(heapGrowth)}, resident ${percent(residentGrowth)} from the second quarter to the last`);
  const all = [...wrong];
  if (heapGrowth > MOST_GROWTH) all.push(`the heap grew by ${percent(heapGrowth)}`);
  if (residentGrowth > MOST_GROWTH) all.push(`resident memory grew by ${percent(residentGrowth)}`);
  for (const what of all) console.error(`✖ ${what} (seed ${used})`);
  if (all.length === 0) console.log('✔ nothing is wrong');
  return all.length === 0;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
