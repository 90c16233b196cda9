import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { AccessToken } from 'livekit-server-sdk';
import { freeTcpPort, freeUdpPort } from './ports.ts';
import { until, within } from './wait.ts';

const main = new URL('../../cli/src/main.ts', import.meta.url).pathname;
const READY_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 20_000;
const LAST_WORDS = 8_000;

export type Kind = 'controller' | 'signaling' | 'media';

/** One process of a cluster. */
export class Member {
  readonly kind: Kind;
  readonly operationsUrl: string;
  readonly #child: ChildProcess;
  #output = '';

  private constructor(kind: Kind, args: readonly string[], metricsPort: number) {
    this.kind = kind;
    this.operationsUrl = `http://127.0.0.1:${metricsPort}`;
    this.#child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, kind, '--metrics-port', String(metricsPort), ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, SLUICE_CLUSTER_SECRET: 'the secret of a test' } },
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = `${this.#output}${text}`.slice(-LAST_WORDS);
      });
    }
  }

  static async start(kind: Kind, args: readonly string[]): Promise<Member> {
    return new Member(kind, args, await freeTcpPort());
  }

  get output(): string {
    return this.#output;
  }

  /** It says that it may be given work. */
  async ready(): Promise<void> {
    await until(
      `${this.kind} is ready`,
      READY_DEADLINE_MS,
      async () => {
        if (this.#child.exitCode !== null) throw new Error(`${this.kind} has ended:\n${this.#output}`);
        return (await this.readiness()).ready;
      },
      () => this.#output,
    );
  }

  async readiness(): Promise<{ readonly ready: boolean; readonly text: string }> {
    const answer = await fetch(`${this.operationsUrl}/readyz`).catch(() => undefined);
    return { ready: answer?.status === 200, text: (await answer?.text()) ?? 'does not answer' };
  }

  /** It dies without a word. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Asks it to end. Resolves to its exit code; kills it and throws when it does not end. */
  async stop(): Promise<number | null> {
    try {
      if (this.#child.exitCode === null && this.#child.signalCode === null) {
        const closed = once(this.#child, 'close');
        this.#child.kill('SIGTERM');
        await within(`${this.kind} ends after SIGTERM`, STOP_DEADLINE_MS, closed);
      }
    } finally {
      this.#child.kill('SIGKILL');
    }
    return this.#child.exitCode;
  }
}

/** Processes of one cloud on loopback, on ports of their own, with the development key. */
export class Cluster implements AsyncDisposable {
  readonly #common: readonly string[];
  readonly #members: Member[] = [];

  /** `configuration`: a file for all of them. */
  constructor(natsUrl: string, configuration: string) {
    this.#common = ['--bus', natsUrl, '--config', configuration];
  }

  async controller(): Promise<Member> {
    return await this.#start('controller', []);
  }

  /** A signaling server and the port that its clients connect to. */
  async signaling(): Promise<{ readonly member: Member; readonly port: number }> {
    const port = await freeTcpPort();
    return { member: await this.#start('signaling', ['--listen', `127.0.0.1:${port}`]), port };
  }

  async media(): Promise<Member> {
    const port = await freeUdpPort();
    return await this.#start('media', ['--udp-port', String(port), '--public', `127.0.0.1:${port}`]);
  }

  async token(room: string, identity: string): Promise<string> {
    const token = new AccessToken('devkey', 'secret', { identity });
    token.addGrant({ roomJoin: true, room });
    return await token.toJwt();
  }

  /** Ends everybody in order, and says who did not. */
  async [Symbol.asyncDispose](): Promise<void> {
    const codes = await Promise.allSettled(this.#members.map((member) => member.stop()));
    const wrong = codes.filter(({ status }) => status === 'rejected');
    if (wrong.length > 0) throw new Error(`${wrong.length} processes did not end`);
  }

  async #start(kind: Kind, args: readonly string[]): Promise<Member> {
    const member = await Member.start(kind, [...this.#common, ...args]);
    this.#members.push(member);
    return member;
  }
}
