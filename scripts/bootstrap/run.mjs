// @ts-check
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { root } from './paths.mjs';

/**
 * Runs a program of the repository with Node 24 in the user's own terminal and passes signals on; resolves to its exit code.
 * @param {import('./toolchain.mjs').NodeToolchain} node
 * @param {string[]} args a script within the repository, then its arguments
 * @returns {Promise<number>}
 */
export async function handOver(node, args) {
  const [script = '', ...rest] = args;
  const child = spawn(node.executable, ['--disable-warning=ExperimentalWarning', `${root}${script}`, ...rest], {
    stdio: 'inherit',
    env: withNodeFirst(node),
  });
  const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
  // A terminal's Ctrl-C reaches the child too; passing it on a second time is harmless there and needed everywhere else.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, forward);
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/**
 * The environment in which `node`, and the headers that addons are built with, are those of the toolchain.
 * @param {import('./toolchain.mjs').NodeToolchain} node
 * @returns {NodeJS.ProcessEnv}
 */
export function withNodeFirst(node) {
  return {
    ...process.env,
    PATH: `${dirname(node.executable)}:${process.env['PATH'] ?? ''}`,
    // A `nodedir` in someone's ~/.npmrc would otherwise win and build against another Node's headers.
    ...(node.headers === undefined ? {} : { npm_config_nodedir: node.headers }),
  };
}
