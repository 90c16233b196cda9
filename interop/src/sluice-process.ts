import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Readable } from 'node:stream';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { freeTcpPort, freeUdpPort } from './ports.ts';
import { until, within } from './wait.ts';

const root = new URL('../..', import.meta.url).pathname;
const READY_DEADLINE_MS = 20_000;
const STOP_DEADLINE_MS = 10_000;

export interface SluiceOptions {
  /** More lines of sluice.yaml. */
  readonly yaml?: string;
  /** Flags for Node itself. */
  readonly nodeFlags?: readonly string[];
}

export interface TokenOptions {
  readonly room: string;
  readonly identity: string;
  readonly name?: string;
  readonly ttl?: number | string;
  readonly grant?: VideoGrant;
}

/** A whole Sluice on loopback, with the development key, on ports of its own. */
export class SluiceProcess implements AsyncDisposable {
  readonly key = 'devkey';
  readonly secret = 'secret';
  readonly httpPort: number;
  readonly mediaPort: number;
  readonly #metricsPort: number;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #folder: string;
  #output = '';

  private constructor(
    child: ChildProcessByStdio<null, Readable, Readable>,
    folder: string,
    ports: readonly [number, number, number],
  ) {
    this.#child = child;
    this.#folder = folder;
    [this.httpPort, this.mediaPort, this.#metricsPort] = ports;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
  }

  static async start(options: SluiceOptions = {}): Promise<SluiceProcess> {
    const ports = [await freeTcpPort(), await freeUdpPort(), await freeTcpPort()] as const;
    const folder = mkdtempSync(`${tmpdir()}/sluice-interop-`);
    const file = `${folder}/sluice.yaml`;
    writeFileSync(file, `${configuration(ports)}${options.yaml ?? ''}`);
    const args = [
      '--disable-warning=ExperimentalWarning',
      ...(options.nodeFlags ?? []),
      `${root}cli/src/main.ts`,
      'up',
      '--config',
      file,
    ];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const sluice = new SluiceProcess(child, folder, ports);
    try {
      await until('sluice up answers', READY_DEADLINE_MS, () => sluice.#answers());
    } catch (error) {
      await sluice.stop();
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${sluice.output}`);
    }
    return sluice;
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.httpPort}`;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Everything it wrote to standard output and standard error. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async token({ room, identity, name, ttl, grant }: TokenOptions): Promise<string> {
    const token = new AccessToken(this.key, this.secret, {
      identity,
      ...(name === undefined ? {} : { name }),
      ...(ttl === undefined ? {} : { ttl }),
    });
    token.addGrant({ roomJoin: true, room, ...grant });
    return await token.toJwt();
  }

  /** Resident memory in KiB, open file descriptors and UDP + TCP sockets of the process. */
  footprint(): Footprint {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const descriptors = readdirSync(`/proc/${this.pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${this.pid}/fd/${fd}`)];
      } catch {
        // Closed between the listing and the look.
        return [];
      }
    });
    return {
      residentKiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0),
      threads: Number(/Threads:\s+(\d+)/.exec(status)?.[1] ?? 0),
      descriptors: descriptors.length,
      sockets: descriptors.filter((target) => target.startsWith('socket:')).length,
    };
  }

  /** The value of a Prometheus metric, summed over its labels; undefined when there is none of that name. */
  async metric(name: string): Promise<number | undefined> {
    const text = await this.metrics();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    if (lines.length === 0) return undefined;
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  async metrics(): Promise<string> {
    return await (await fetch(`http://127.0.0.1:${this.#metricsPort}/metrics`)).text();
  }

  /** Asks it to end; kills it and throws when it does not. Resolves to its exit code. */
  async stop(): Promise<number | null> {
    try {
      if (this.running) {
        const closed = once(this.#child, 'close');
        this.#child.kill('SIGTERM');
        await within('sluice up ends after SIGTERM', STOP_DEADLINE_MS, closed);
      }
    } finally {
      this.#child.kill('SIGKILL');
      rmSync(this.#folder, { recursive: true, force: true });
    }
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answers(): Promise<true | undefined> {
    if (!this.running) throw new Error(`sluice up ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
    const answer = await fetch(`${this.httpUrl}/`, { method: 'HEAD' }).catch(() => undefined);
    return answer?.ok ? true : undefined;
  }
}

export interface Footprint {
  readonly residentKiB: number;
  readonly threads: number;
  readonly descriptors: number;
  readonly sockets: number;
}

function configuration([http, media, metrics]: readonly [number, number, number]): string {
  return `signaling:\n  listen:\n    port: ${http}\nmedia:\n  udpPort: ${media}\nmetrics:\n  port: ${metrics}\n`;
}
