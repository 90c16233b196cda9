import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { accessToken, RoomClient, webSocketDialer } from '@sluice/load-tester';
import type { ClientPorts, Member, PeerAdapter, Place, RunningPeer } from './adapter.ts';
import { PinnedProcess } from './process.ts';

const main = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
const key = { apiKey: 'devkey', apiSecret: 'secret' };

const config = `
log: { level: error }
demo: { page: false }
signaling: { listen: { address: 127.0.0.1, port: 0 } }
media: { udpPort: 0, bindAddresses: [127.0.0.1], shards: 1 }
`;

const CONNECT_WITHIN_MS = 20_000;

/** `sluice up`, whole, as a user starts it; its clients speak LiveKit's protocol. */
export const sluice: PeerAdapter = {
  name: 'Sluice',
  missing: () => undefined,
  async start({ cpu, folder, clients }: Place): Promise<RunningPeer> {
    const file = `${folder}/sluice.yaml`;
    writeFileSync(file, config);
    const server = await PinnedProcess.start({
      cpu,
      command: process.execPath,
      args: [main, 'up', '--config', file],
      ready: (said) => /WebSocket +ws:\S+/.test(said),
    });
    const url = /WebSocket +(ws:\S+)/.exec(server.said)?.[1] ?? '';
    return new RunningSluice(server, url, clients);
  },
};

class RunningSluice implements RunningPeer {
  readonly version = 'this tree';
  readonly notes = [
    '`sluice up` whole: signaling, controller and media node in one process, one shard',
    'clients join over WebSocket by LiveKit’s protocol, one peer connection each, with data channels; who only receives is hidden',
  ];
  readonly #server: PinnedProcess;
  readonly #url: string;
  readonly #clients: ClientPorts;
  readonly #joined: RoomClient[] = [];

  constructor(server: PinnedProcess, url: string, clients: ClientPorts) {
    this.#server = server;
    this.#url = url;
    this.#clients = clients;
  }

  get pid(): number {
    return this.#server.pid;
  }

  async join({ room, identity, publishes, receives }: Member): Promise<void> {
    const { clock } = this.#clients;
    const hidden = Object.keys(publishes).length === 0;
    const token = accessToken(key, { roomName: room, identity, hidden }, clock.unixMs());
    const client = new RoomClient(
      { token, mode: 'single', autoSubscribe: receives },
      { ...this.#clients, dial: webSocketDialer(this.#url) },
    );
    for (const [name, publishing] of Object.entries(publishes)) client.publish(name, publishing);
    client.connect();
    this.#joined.push(client);
    const deadlineMs = performance.now() + CONNECT_WITHIN_MS;
    while (client.state !== 'live' || client.times.connectedUs === undefined) {
      if (client.state === 'ended' || performance.now() > deadlineMs) {
        throw new Error(`${identity} did not come in: ${client.endedBecause ?? client.lastTrouble ?? 'in time'}`);
      }
      await sleep(10);
    }
  }

  /** Everybody is subscribed to everybody from the start. */
  async subscribe(): Promise<void> {}

  async stop(): Promise<void> {
    // Or they would try to come back.
    for (const client of this.#joined) client.crash();
    await this.#server.stop();
  }
}
