// The packet path's addon: compiled on this machine with Node's own headers, again whenever its sources change.
// @ts-check
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fingerprint, list, readStamp, writeStamp } from './fingerprint.mjs';
import { root } from './paths.mjs';
import { BootstrapError, runStep } from './progress.mjs';
import { withNodeFirst } from './run.mjs';

const folder = `${root}packet-path/`;
const sources = ['binding.gyp', 'binding', 'core', 'io', 'peer', 'swarm'];
const sourceFile = /\.(gyp|gypi|h|hpp|cc)$/;

/** @param {import('./toolchain.mjs').NodeToolchain} node */
export async function buildAddon(node) {
  const current = fingerprint(folder, sources, sourceFile, [node.headers ?? '', headersVersion(node)]);
  if (readStamp('addon') === current && built()) return;
  requireTools();
  const total = sources.flatMap((path) => list(`${folder}${path}`, /\.cc$/)).length;
  let compiled = 0;
  await runStep({
    name: 'addon',
    doing: 'Compiling the packet path',
    done: 'Compiled the packet path',
    command: node.executable,
    args: [
      `${root}node_modules/node-gyp/bin/node-gyp.js`,
      'configure',
      'build',
      '--jobs',
      String(availableParallelism()),
    ],
    cwd: folder,
    env: withNodeFirst(node),
    line: (line) => {
      if (/^\s*CXX\(target\)/.test(line)) compiled += 1;
    },
    detail: () => (compiled > 0 ? `file ${compiled} of ${Math.max(compiled, total)}` : ''),
    noise: /^gyp (info|ERR!)/,
    advice,
  });
  if (!built())
    throw new BootstrapError('The packet path was compiled but left no .node file in packet-path/build/Release.');
  writeStamp('addon', current);
}

function built() {
  const release = `${folder}build/Release`;
  return existsSync(release) && readdirSync(release).some((name) => name.endsWith('.node'));
}

/** @param {import('./toolchain.mjs').NodeToolchain} node */
function headersVersion(node) {
  const file = `${node.headers}/include/node/node_version.h`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

/** Says in one line which package to install when the compiler's pieces are not there. */
function requireTools() {
  const needed = [
    { package: 'make', commands: ['make', 'gmake'] },
    { package: 'g++', commands: [process.env['CXX'] ?? 'g++', 'c++'] },
    { package: 'python3', commands: [process.env['PYTHON'] ?? 'python3', 'python'] },
  ];
  const missing = needed.filter((tool) => !tool.commands.some(runs)).map((tool) => tool.package);
  if (missing.length === 0) return;
  throw new BootstrapError(
    `Compiling the packet path needs ${missing.join(', ')}. On Debian and Ubuntu: apt-get install -y ${missing.join(' ')}`,
  );
}

/** @param {string} command */
function runs(command) {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @param {string} log */
function advice(log) {
  if (/No space left on device/.test(log)) return 'The disk is full.';
  if (/Killed|out of memory/i.test(log)) return 'The compiler ran out of memory.';
  if (/unrecognized command.line option .-std=c\+\+20/.test(log)) return 'g++ 11 or newer is needed.';
  return undefined;
}
