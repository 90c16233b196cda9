// @ts-check
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * The npm that started us, run by the given Node; else the one beside this Node; else whatever the shell finds.
 * @param {string} nodeExecutable
 */
export function npmCommand(nodeExecutable) {
  const beside = `${dirname(dirname(process.execPath))}/lib/node_modules/npm/bin/npm-cli.js`;
  for (const script of [process.env['npm_execpath'], beside, '/usr/share/nodejs/npm/bin/npm-cli.js']) {
    if (script?.endsWith('npm-cli.js') && existsSync(script)) return { command: nodeExecutable, args: [script] };
  }
  return { command: 'npm', args: [] };
}
