import { calls } from './calls.ts';
import { incidents } from './incidents.ts';
import { randomScenario } from './random.ts';
import { testScenarios, testSeeds } from './testing.ts';

testScenarios(calls);
testScenarios(incidents);
for (const weather of ['calm', 'storm'] as const) {
  testSeeds(randomScenario(0, weather).name, (seed) => randomScenario(seed, weather));
}
