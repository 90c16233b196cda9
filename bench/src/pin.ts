import { spawnSync } from 'node:child_process';

/** All threads of a process, and those that it makes from now on, run on one core. */
export function pin(pid: number, cpu: number): void {
  const { status, stderr } = spawnSync('taskset', ['-acp', String(cpu), String(pid)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`taskset (of util-linux) is needed: ${stderr}`);
}
