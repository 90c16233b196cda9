import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PinnedOptions {
  readonly cpu: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with all it has said so far; true: it is ready. */
  readonly ready: (said: string) => boolean;
}

const READY_WITHIN_MS = 15_000;
const END_WITHIN_MS = 5_000;
const MOST_SAID = 64 * 1024;

/** A measured process with all its threads on one core. */
export class PinnedProcess {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #kill: () => void;
  #said = '';

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
    // Whatever becomes of the bench, nothing of it stays behind.
    this.#kill = () => child.kill('SIGKILL');
    process.once('exit', this.#kill);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-MOST_SAID);
      });
    }
  }

  static async start({ cpu, command, args, env, ready }: PinnedOptions): Promise<PinnedProcess> {
    // taskset becomes the command: the process is the same.
    const child = spawn('taskset', ['-c', String(cpu), command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    if (child.pid === undefined) {
      const [error] = (await once(child, 'error')) as [Error];
      throw new Error(`${command} does not start: ${error.message}`);
    }
    const started = new PinnedProcess(child, child.pid);
    const deadlineMs = performance.now() + READY_WITHIN_MS;
    while (!ready(started.#said)) {
      if (child.exitCode !== null || performance.now() > deadlineMs) {
        await started.stop();
        throw new Error(`${command} does not start:\n${started.#said.trim()}`);
      }
      await sleep(20);
    }
    return started;
  }

  get said(): string {
    return this.#said;
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), END_WITHIN_MS);
    await exited;
    clearTimeout(patience);
  }
}
