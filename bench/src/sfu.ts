import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { SessionSpec } from '@sluice/contracts';
import type { BindAddress, Identity, ShardSnapshot } from '@sluice/packet-path';
import { pin } from './pin.ts';

export type SfuRequest =
  | { readonly type: 'open'; readonly identity: Identity; readonly cpu: number }
  | { readonly type: 'apply'; readonly specs: readonly SessionSpec[] }
  | { readonly type: 'measure' };

export type SfuAnswer =
  | { readonly type: 'opened'; readonly addresses: readonly BindAddress[] }
  | { readonly type: 'applied' }
  | { readonly type: 'measured'; readonly shard: ShardSnapshot; readonly residentBytes: number };

type Measured = Extract<SfuAnswer, { type: 'measured' }>;

/** The measured process, as its parent sees it. One request at a time. */
export class Sfu {
  readonly address: BindAddress;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, address: BindAddress) {
    this.#child = child;
    this.address = address;
  }

  static async start(identity: Identity, cpu: number): Promise<Sfu> {
    const child = fork(fileURLToPath(new URL('./sfu-process.ts', import.meta.url)), {
      execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    });
    pin(child.pid ?? 0, cpu);
    const opened = await ask(child, { type: 'open', identity, cpu });
    const address = opened.type === 'opened' ? opened.addresses[0] : undefined;
    if (address === undefined) throw new Error('the measured process did not open');
    return new Sfu(child, address);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async apply(specs: readonly SessionSpec[]): Promise<void> {
    await ask(this.#child, { type: 'apply', specs });
  }

  async measure(): Promise<Measured> {
    const answer = await ask(this.#child, { type: 'measure' });
    if (answer.type !== 'measured') throw new Error('the measured process said something else');
    return answer;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

/** One answer for one request; a child that dies answers nothing. */
function ask(child: ChildProcess, request: SfuRequest): Promise<SfuAnswer> {
  return new Promise((resolve, reject) => {
    const died = (): void => reject(new Error('the measured process died'));
    child.once('exit', died);
    child.once('message', (answer) => {
      child.off('exit', died);
      resolve(answer as SfuAnswer);
    });
    child.send(request);
  });
}
