// The one door of `npm start`, `npm test` and the other npm scripts. Plain JavaScript without dependencies, so that it
// runs on whatever Node (≥ 20) a machine has: it brings Node 24, the npm packages, the compiled packet path and the demo
// page up to date, says what it is doing while that takes long, and then hands over.
// @ts-check
import { buildAddon } from './bootstrap/addon.mjs';
import { buildDemo } from './bootstrap/demo.mjs';
import { installDependencies } from './bootstrap/dependencies.mjs';
import { withLock } from './bootstrap/lock.mjs';
import { BootstrapError } from './bootstrap/progress.mjs';
import { handOver } from './bootstrap/run.mjs';
import { ensureNode } from './bootstrap/toolchain.mjs';

/**
 * What each command needs and what it starts with Node 24.
 * @typedef {{ needs: ('dependencies' | 'addon' | 'demo')[], run: string[] }} Command
 * @type {Record<string, Command>}
 */
const commands = {
  start: { needs: ['dependencies', 'addon', 'demo'], run: ['cli/src/main.ts', 'up'] },
  build: { needs: ['dependencies', 'addon', 'demo'], run: [] },
  test: { needs: ['dependencies', 'addon', 'demo'], run: ['scripts/test.ts'] },
  check: { needs: ['dependencies', 'addon'], run: ['scripts/check.ts'] },
  interop: { needs: ['dependencies', 'addon', 'demo'], run: ['scripts/interop.ts'] },
  sluice: { needs: ['dependencies'], run: ['cli/src/main.ts'] },
  churn: { needs: ['dependencies', 'addon'], run: ['sim/src/churn/main.ts'] },
  bench: { needs: ['dependencies', 'addon'], run: ['bench/src/main.ts'] },
  fuzz: { needs: ['dependencies'], run: ['scripts/fuzz.ts'] },
  docs: { needs: ['dependencies'], run: ['scripts/docs.ts'] },
  networks: { needs: ['dependencies', 'addon'], run: ['sim/src/trials/main.ts'] },
};

const [name = '', ...args] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) {
  console.error(`Unknown command "${name}". There are: ${Object.keys(commands).join(', ')}.`);
  process.exit(2);
}
// `sluice up` moves packets and serves the page, `sluice load` moves packets; the other subcommands need neither.
const needs = new Set(command.needs);
if (name === 'sluice' && (args[0] === 'up' || args[0] === 'load')) needs.add('addon');
if (name === 'sluice' && args[0] === 'up') needs.add('demo');

try {
  const node = await withLock(async () => {
    const node = await ensureNode();
    if (needs.has('dependencies')) await installDependencies(node);
    if (needs.has('addon')) await buildAddon(node);
    if (needs.has('demo')) await buildDemo(node);
    return node;
  });
  process.exitCode = command.run.length > 0 ? await handOver(node, [...command.run, ...args]) : 0;
} catch (error) {
  if (!(error instanceof BootstrapError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
