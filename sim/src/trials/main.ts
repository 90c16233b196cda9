import { mkdirSync, writeFileSync } from 'node:fs';
import { isLimited, page } from './page.ts';
import { plot } from './plot.ts';
import { runTrial } from './run-trial.ts';
import type { Result } from './trial.ts';
import { trials } from './trials.ts';

/** `npm run networks`: writes `docs/networks.md` and its pictures. With names, only runs those and says how they went. */
const SEED = 1;
const docs = new URL('../../../docs/', import.meta.url);
const names = process.argv.slice(2);
const chosen = trials.filter(({ name }) => names.length === 0 || names.includes(name));
const results: Result[] = [];
for (const trial of chosen) {
  const result = await runTrial(trial, SEED);
  results.push(result);
  console.log(`${trial.name}: ${result.wrong.join('; ') || 'as it should be'}`);
}
if (names.length > 0) console.log(page(results, () => undefined));
else write();

function write(): void {
  mkdirSync(new URL('images/networks/', docs), { recursive: true });
  const imageOf = ({ trial, samples }: Result): string | undefined =>
    isLimited(samples) ? `images/networks/${trial.name.replaceAll(' ', '-')}.svg` : undefined;
  for (const result of results) {
    const image = imageOf(result);
    if (image !== undefined) writeFileSync(new URL(image, docs), plot(result.trial.name, result.samples));
  }
  writeFileSync(new URL('networks.md', docs), page(results, imageOf));
  console.log('Wrote docs/networks.md.');
}
