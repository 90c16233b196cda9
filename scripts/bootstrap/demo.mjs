// @ts-check
import { existsSync } from 'node:fs';
import { fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { root } from './paths.mjs';
import { runStep } from './progress.mjs';
import { withNodeFirst } from './run.mjs';

const sources = [
  'demo/src',
  'demo/public',
  'demo/index.html',
  'demo/vite.config.ts',
  'demo/package.json',
  'package-lock.json',
];

/**
 * The page at `/`, bundled when its sources changed.
 * @param {import('./toolchain.mjs').NodeToolchain} node
 */
export async function buildDemo(node) {
  const current = fingerprint(root, sources, /./);
  if (readStamp('demo') === current && existsSync(`${root}demo/dist/index.html`)) return;
  await runStep({
    name: 'demo',
    doing: 'Bundling the demo page',
    done: 'Bundled the demo page',
    command: node.executable,
    args: [`${root}node_modules/vite/bin/vite.js`, 'build', '--logLevel', 'warn'],
    cwd: `${root}demo`,
    env: withNodeFirst(node),
  });
  writeStamp('demo', current);
}
