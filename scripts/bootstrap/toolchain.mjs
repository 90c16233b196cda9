// The Node that Sluice runs on: the machine's own when it is new enough, else one that npm brings into `.toolchain/`.
// @ts-check
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { npmCommand } from './npm.mjs';
import { root } from './paths.mjs';
import { BootstrapError, runStep } from './progress.mjs';

/** Type stripping without a flag, and the OpenSSL 3.5 that seals packets 2.7 times faster than Node 20's. */
const OLDEST_MAJOR = 24;

/**
 * @typedef {object} NodeToolchain
 * @property {string} executable
 * @property {string | undefined} headers the prefix that has include/node; undefined: node-gyp looks for them itself
 */

/** @returns {Promise<NodeToolchain>} */
export async function ensureNode() {
  const ownMajor = Number(process.versions.node.split('.')[0]);
  const ownPrefix = dirname(dirname(process.execPath));
  const ownHeaders = existsSync(`${ownPrefix}/include/node/node_api.h`) ? ownPrefix : undefined;
  if (ownMajor >= OLDEST_MAJOR && (ownHeaders !== undefined || packageName() === undefined)) {
    return { executable: process.execPath, headers: ownHeaders };
  }
  const prefix = await fetchNode(ownMajor);
  // N-API is the same in every Node, so the package's headers serve a newer Node that came without its own.
  return { executable: ownMajor >= OLDEST_MAJOR ? process.execPath : `${prefix}/bin/node`, headers: prefix };
}

/** The npm package with Node for this machine, if there is one. */
function packageName() {
  const supported = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
  return supported ? `node-linux-${process.arch}` : undefined;
}

/** @param {number} ownMajor */
async function fetchNode(ownMajor) {
  const name = packageName();
  if (name === undefined) {
    throw new BootstrapError(
      `Sluice needs Node ${OLDEST_MAJOR} or newer and this is ${process.versions.node}. Install it from https://nodejs.org and try again.`,
    );
  }
  const pinned = JSON.parse(readFileSync(`${root}scripts/toolchain/package.json`, 'utf8'));
  const version = pinned.optionalDependencies[name];
  const prefix = `${root}.toolchain/node_modules/${name}`;
  if (installedVersion(prefix) === version) return prefix;

  const folder = `${root}.toolchain`;
  mkdirSync(folder, { recursive: true });
  // The lock file carries the integrity hashes that npm checks.
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(`${root}scripts/toolchain/${file}`, `${folder}/${file}`);
  const what =
    ownMajor >= OLDEST_MAJOR
      ? `Node ${version}'s headers`
      : `Node ${version} (this machine has ${process.versions.node})`;
  const npm = npmCommand(process.execPath);
  await runStep({
    name: 'toolchain',
    doing: `Fetching ${what}`,
    done: `Fetched ${what}`,
    command: npm.command,
    args: [...npm.args, 'ci', '--no-audit', '--no-fund', '--ignore-scripts'],
    cwd: folder,
    advice: () => 'npm could not fetch it; is the registry reachable?',
  });
  // npm leaves an optional package out without an error when it cannot be fetched.
  if (installedVersion(prefix) !== version) {
    throw new BootstrapError(`npm did not bring ${name}@${version}. Is the registry reachable? (npm ping)`);
  }
  return prefix;
}

/** @param {string} prefix */
function installedVersion(prefix) {
  if (!existsSync(`${prefix}/bin/node`) || !existsSync(`${prefix}/package.json`)) return undefined;
  return JSON.parse(readFileSync(`${prefix}/package.json`, 'utf8')).version;
}
