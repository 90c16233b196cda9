import { openSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type LoadProgress, missed, runLoad, table } from '@sluice/load-tester';
import { errorMessage, systemClock, systemRandom } from '@sluice/runtime';
import { badArgument } from '../errors.ts';
import type { Output } from '../output.ts';
import type { LoadFlags } from './options.ts';
import { loadPlan, loadThresholds } from './plan.ts';

/** Runs a load test and prints what it found; false: it missed a threshold. */
export async function load(flags: LoadFlags, output: Output): Promise<boolean> {
  const plan = loadPlan(flags, availableParallelism());
  const thresholds = loadThresholds(flags);
  const file = flags.json === undefined ? undefined : openFile(flags.json);
  const stop = new AbortController();
  // What was measured until then is told; a second time ends it at once.
  process.once('SIGINT', () => stop.abort());
  const bar = new Bar();
  const report = await runLoad(plan, {
    clock: systemClock,
    random: systemRandom,
    progress: (progress) => bar.show(progress),
    stop: stop.signal,
  }).finally(() => bar.clear());
  output.say(table(report));
  const wrong = missed(report, thresholds);
  if (file !== undefined) {
    const { apiSecret: _, ...told } = plan;
    writeFileSync(file, `${JSON.stringify({ plan: told, thresholds, report, missed: wrong }, null, 2)}\n`);
  }
  for (const one of wrong) output.warn(`sluice: ${one}`);
  return wrong.length === 0;
}

/** Before the test, which may take long. */
function openFile(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (cause) {
    throw badArgument(`--json is "${path}", which cannot be written: ${errorMessage(cause)}.`);
  }
}

const WIDTH = 30;

/** On a terminal only: a file of logs has no use for it. */
class Bar {
  readonly #terminal = process.stderr.isTTY === true;

  show({ phase, done, connected, wanted }: LoadProgress): void {
    if (!this.#terminal) return;
    const full = Math.round(done * WIDTH);
    const bar = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}`;
    process.stderr.write(`\r\x1b[K${phase.padEnd(9)} ${bar} ${connected} of ${wanted} connected`);
  }

  clear(): void {
    if (this.#terminal) process.stderr.write('\r\x1b[K');
  }
}
