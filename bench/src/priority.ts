import { readFileSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

const AUTOGROUP = '/proc/self/autogroup';

/**
 * Others on the machine disturb less; what this process starts inherits it. Takes privileges, and goes without. Where
 * the kernel shares the processor among terminals first (CONFIG_SCHED_AUTOGROUP), this terminal's share is raised until
 * the process ends.
 */
export function atHighestPriority(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
    const nice = /nice (-?\d+)/.exec(readFileSync(AUTOGROUP, 'utf8'))?.[1];
    if (nice === undefined) return;
    writeFileSync(AUTOGROUP, String(constants.priority.PRIORITY_HIGHEST));
    process.once('exit', () => writeFileSync(AUTOGROUP, nice));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    process.stderr.write('Without privileges to raise the priority: whatever else runs here disturbs the delays.\n');
  }
}
