import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** `npm run docs` writes the generated pages; with `--check` it only says whether they are stale. */
const file = new URL('../docs/configuration.md', import.meta.url);
const cli = new URL('../cli/src/main.ts', import.meta.url).pathname;
const flags = ['--disable-warning=ExperimentalWarning', cli, 'config', '--markdown'];
const page = execFileSync(process.execPath, flags, { encoding: 'utf8' });

if (process.argv.includes('--check')) {
  if (read() !== page) {
    console.error('docs/configuration.md is not what the schema says: npm run docs writes it anew.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, page);
  console.log('Wrote docs/configuration.md.');
}

function read(): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
