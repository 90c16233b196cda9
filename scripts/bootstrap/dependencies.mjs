// @ts-check
import { existsSync, readFileSync } from 'node:fs';
import { npmCommand } from './npm.mjs';
import { root } from './paths.mjs';
import { runStep } from './progress.mjs';
import { withNodeFirst } from './run.mjs';

/**
 * `npm ci` when what is installed is not what the lock file says.
 * @param {import('./toolchain.mjs').NodeToolchain} node
 */
export async function installDependencies(node) {
  if (installed()) return;
  const npm = npmCommand(node.executable);
  await runStep({
    name: 'dependencies',
    doing: 'Installing npm packages',
    done: 'Installed npm packages',
    command: npm.command,
    args: [...npm.args, 'ci', '--no-audit', '--no-fund'],
    // Browsers come from the system, never by download.
    env: { ...withNodeFirst(node), PUPPETEER_SKIP_DOWNLOAD: '1', NODE_ENV: 'development' },
    advice: (log) =>
      /ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN/.test(log) ? 'Is the npm registry reachable?' : undefined,
  });
}

/**
 * npm writes what it installed to node_modules/.package-lock.json, last of all: comparing it with the lock file also
 * notices an install that was cut short, and leaves alone what `npm install` brought.
 */
function installed() {
  const hidden = `${root}node_modules/.package-lock.json`;
  if (!existsSync(hidden)) return false;
  const wanted = packages(`${root}package-lock.json`);
  const present = packages(hidden);
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const there = present[path];
    // Packages for other platforms are optional and absent.
    if (there === undefined) return entry.optional === true || entry.devOptional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }>}
 */
function packages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
