import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@sluice/runtime';
import { type Outcome, runScenario } from '../scenario/run.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { withoutRealWorld } from './real-world.ts';

const FIXED_SEEDS = [1, 2, 3];
/** `SLUICE_SIM_SEED` repeats a seed that went wrong; `new` tries one that nobody has tried. */
const chosen = process.env['SLUICE_SIM_SEED'];
const untried = (): number => Buffer.from(systemRandom(4)).readUInt32BE() % 1_000_000;
const seeds = chosen === undefined ? FIXED_SEEDS : [chosen === 'new' ? untried() : Number(chosen)];

/** One test for each scenario, with each seed. */
export function testScenarios(scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) testSeeds(scenario.name, () => scenario);
}

/** One test of scenarios that are made from a seed. */
export function testSeeds(name: string, scenarioOf: (seed: number) => Scenario): void {
  test(`sim: ${name}`, async () => {
    for (const seed of seeds) {
      const outcome = await withoutRealWorld(() => runScenario(scenarioOf(seed), seed));
      assert.deepEqual(outcome.wrong, [], text(outcome));
    }
  });
}

const text = ({ seed, wrong, notes }: Outcome): string =>
  [`seed ${seed} (SLUICE_SIM_SEED=${seed} repeats it)`, ...wrong.map((what) => `✖ ${what}`), ...notes].join('\n  ');
