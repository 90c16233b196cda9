import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Set for a whole test run, so that whatever it starts carries it too. */
export const RUN_VARIABLE = 'SLUICE_TEST_RUN';

/** Temporary folders that tests have made and not taken away, of whichever run. */
export function testFolders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => /^sluice-(tests|interop)-/.test(name));
}

/** Processes and temporary folders of this run that are still there, one line each; `before` were there at its start. */
export function leftovers(run: string, before: readonly string[]): readonly string[] {
  const folders = testFolders().filter((name) => !before.includes(name));
  return [...processesOf(run), ...folders.map((name) => `left in ${tmpdir()}: ${name}`)];
}

function processesOf(run: string): string[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (!environment.includes(`${RUN_VARIABLE}=${run}`)) return [];
      return [`still running: ${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`];
    } catch {
      // Ended meanwhile, or another user's.
      return [];
    }
  });
}
