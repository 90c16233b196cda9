import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { systemClock } from '@sluice/runtime';

/** Why tests with a real NATS cannot run here; false: they can. For `test`'s `skip`. */
export const natsMissing: string | false = (process.env['PATH'] ?? '')
  .split(':')
  .some((folder) => existsSync(`${folder}/nats-server`))
  ? false
  : 'nats-server is not installed (Debian: apt-get install nats-server)';

/** Far more than anything takes, also on a machine with much else to do. */
const WITHIN_US = 30_000_000;
const LOOK_AGAIN_US = 20_000;

/** Real time, for tests with real servers. */
export const pause = (us: number): Promise<void> =>
  new Promise((resolve) => void systemClock.setTimer(us, () => resolve()));

/** Waits for what must become so. */
export async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  const endUs = systemClock.nowUs() + WITHIN_US;
  while (!(await is())) {
    if (systemClock.nowUs() > endUs) throw new Error(`not within ${WITHIN_US / 1_000_000} s: ${what}`);
    await pause(LOOK_AGAIN_US);
  }
}

/** A free TCP port of this machine. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A nats-server with JetStream on loopback, for tests. */
export class NatsTestServer {
  readonly port: number;
  readonly folder = mkdtempSync(`${tmpdir()}/sluice-tests-nats-`);
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  /** `settings`: more of NATS' own configuration, or what makes them given the server's folder. */
  static async start(settings: string | ((folder: string) => string) = '', port?: number): Promise<NatsTestServer> {
    const server = new NatsTestServer(port ?? (await freePort()));
    const text = typeof settings === 'string' ? settings : settings(server.folder);
    writeFileSync(
      `${server.folder}/nats.conf`,
      `listen: "127.0.0.1:${server.port}"\njetstream { store_dir: "${server.folder}/store" }\n${text}\n`,
    );
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const child = spawn('nats-server', ['-c', `${this.folder}/nats.conf`], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-4_000);
    });
    await until('nats-server listens', async () => {
      if (child.exitCode !== null) throw new Error(`nats-server has ended: ${said}`);
      return await listens(this.port);
    });
  }

  /** Ends it without a word to anybody. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** Everything that it kept is gone. Only while it is stopped. */
  wipe(): void {
    rmSync(`${this.folder}/store`, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A way to a server that can be taken away and given back. */
export class CuttableWay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = true;

  private constructor(to: number) {
    this.#server = createServer((socket) => this.#join(socket, to));
  }

  static async to(port: number): Promise<CuttableWay> {
    const way = new CuttableWay(port);
    way.#server.listen(0, '127.0.0.1');
    await once(way.#server, 'listening');
    return way;
  }

  get url(): string {
    return `nats://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  restore(): void {
    this.#open = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, port: number): void {
    if (!this.#open) {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket.setNoDelay(true));
      socket.on('error', () => undefined);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  }
}
