import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Counts, oneFailed, onePassed, type Suite } from './suite.ts';

export const root = new URL('../..', import.meta.url).pathname;

export interface Finished {
  readonly code: number | null;
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Shows the output as it comes instead of keeping it for a failure. */
  readonly live?: 'live';
  readonly started?: (pid: number) => void;
}

/** Runs a command and keeps what it says. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) options.started?.(child.pid);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (options.live) process.stdout.write(text);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** A tool that is content or not: one case, its output shown only when it fails. */
export function commandSuite(
  name: string,
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Suite {
  return {
    name,
    run: async () => {
      const { code, output } = await runCommand(command, args, options);
      if (code === 0) return onePassed;
      if (!options.live) console.log(output.trimEnd());
      return oneFailed;
    },
  };
}

/** A check written here: gives what it found wrong, one line each. */
export function findingsSuite(name: string, find: () => Promise<readonly string[]>): Suite {
  return {
    name,
    run: async (): Promise<Counts> => {
      const findings = await find();
      for (const finding of findings) console.log(finding);
      return findings.length === 0 ? onePassed : { passed: 0, failed: findings.length, skipped: 0 };
    },
  };
}

/** A suite that cannot run on this machine, with the reason. */
export function skippedSuite(name: string, reason: string): Suite {
  return {
    name,
    run: async () => {
      console.log(`skipped: ${reason}`);
      return { passed: 0, failed: 0, skipped: 1 };
    },
  };
}
