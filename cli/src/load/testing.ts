import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';

const main = new URL('../main.ts', import.meta.url).pathname;

export interface Ran {
  /** Undefined: it was ended by a signal, or not started at all. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

/** A Sluice in a process of its own, and load tests against it; for tests with real sockets. */
export class LoadedSluice {
  readonly metricsUrl: string;
  /** For the files of a test; gone with it. */
  readonly folder: string;
  readonly #server: ChildProcessWithoutNullStreams;
  readonly #url: string;

  private constructor(server: ChildProcessWithoutNullStreams, at: { folder: string; url: string; metricsUrl: string }) {
    this.#server = server;
    this.#url = at.url;
    this.folder = at.folder;
    this.metricsUrl = at.metricsUrl;
  }

  static async start(): Promise<LoadedSluice> {
    const folder = mkdtempSync(`${tmpdir()}/sluice-tests-load-`);
    const metricsPort = await freeTcpPort();
    const config = `${folder}/sluice.yaml`;
    writeFileSync(config, `metrics: { port: ${metricsPort} }\n`);
    const server = spawn(process.execPath, [main, 'up', '--port', '0', '--udp-port', '0', '--config', config]);
    let said = '';
    for await (const [text] of on(server.stdout, 'data', { close: ['close'] })) {
      said += String(text);
      const [, url] = /WebSocket +(ws:\/\/\S+)\s/.exec(said) ?? [];
      if (url === undefined) continue;
      return new LoadedSluice(server, { folder, url, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` });
    }
    throw new Error(`sluice up ended: ${said}`);
  }

  /** Two seconds of `sluice load`, unless the flags say otherwise. */
  load(...flags: string[]): Promise<Ran> {
    return new Promise((resolve) => {
      const args = [main, 'load', '--url', this.#url, '--seconds', '2', ...flags];
      const child = execFile(process.execPath, args, (_, out, err) =>
        resolve({ code: child.exitCode ?? undefined, out, err }),
      );
    });
  }

  async stop(): Promise<void> {
    rmSync(this.folder, { recursive: true });
    this.#server.kill('SIGTERM');
    if (this.#server.exitCode === null) await once(this.#server, 'close');
  }
}

async function freeTcpPort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
