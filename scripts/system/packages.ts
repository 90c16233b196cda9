import { existsSync, readFileSync } from 'node:fs';
import { runCommand } from '../suites/command.ts';

/** A program or header that tests need, and the Debian package it comes in. */
interface Needed {
  readonly what: string;
  readonly debian: string;
  readonly present: () => boolean;
}

const anyOf = (paths: readonly string[]) => () => paths.some((path) => existsSync(path));
const inPath = (command: string) => () =>
  (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/${command}`));

const needed: readonly Needed[] = [
  {
    what: 'Chromium',
    debian: 'chromium',
    present: anyOf(['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']),
  },
  { what: 'Firefox', debian: 'firefox-esr', present: anyOf(['/usr/bin/firefox-esr', '/usr/bin/firefox']) },
  {
    what: 'OpenSSL headers',
    debian: 'libssl-dev',
    present: anyOf(['/usr/include/openssl/ssl.h', '/usr/local/include/openssl/ssl.h']),
  },
  {
    what: 'doctest',
    debian: 'doctest-dev',
    present: anyOf(['/usr/include/doctest/doctest.h', '/usr/local/include/doctest/doctest.h']),
  },
  { what: 'nats-server', debian: 'nats-server', present: inPath('nats-server') },
  { what: 'openssl', debian: 'openssl', present: inPath('openssl') },
  { what: 'g++', debian: 'g++', present: inPath('g++') },
  { what: 'make', debian: 'make', present: inPath('make') },
  { what: 'clang-format', debian: 'clang-format', present: inPath('clang-format') },
];

export type Prepared = { readonly ok: true } | { readonly ok: false; readonly advice: string };

/** Brings what tests need from the system: installs it where that is possible, else says what is missing. */
export async function prepareSystem(): Promise<Prepared> {
  const missing = needed.filter(({ present }) => !present());
  if (missing.length === 0) return { ok: true };
  const packages = missing.map(({ debian }) => debian);
  const names = missing.map(({ what }) => what).join(', ');
  const advice = `The tests need ${names}. On Debian: apt-get install -y ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !isDebian()) return { ok: false, advice };
  console.log(`Installing ${names} (apt-get install ${packages.join(' ')})…`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const update = await runCommand('apt-get', ['update', '-q'], { env });
  const install = await runCommand('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], { env });
  const still = missing.filter(({ present }) => !present());
  if (still.length === 0) return { ok: true };
  const tail = `${update.code === 0 ? '' : update.output}${install.output}`.trimEnd().split('\n').slice(-15).join('\n');
  return { ok: false, advice: `${tail}\n${advice}` };
}

function isDebian(): boolean {
  if (!inPath('apt-get')() || !existsSync('/etc/os-release')) return false;
  return /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync('/etc/os-release', 'utf8'));
}
