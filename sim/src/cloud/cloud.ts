import { createHash, X509Certificate } from 'node:crypto';
import { type InProcessBus, InProcessHub } from '@sluice/bus';
import { Fingerprint, type SessionId, type SessionSpec } from '@sluice/contracts';
import { type Controller, ControllerConfig, startController } from '@sluice/controller';
import {
  ManualPath,
  type ManualPathOptions,
  type MediaNode,
  MediaNodeConfig,
  type PacketPathWish,
  startMediaNode,
} from '@sluice/media-node/internal';
import { generateIdentity, type Identity, type PathSnapshot, type SessionSnapshot } from '@sluice/packet-path';
import { createMetrics, createSealer, type RandomBytes, seededRandom, systemRandom } from '@sluice/runtime';
import { type LogLine, RecordingLogger } from '@sluice/runtime/internal';
import { KeyRing, makeToken, openSessions, type Sessions, SignalingConfig } from '@sluice/signaling/internal';
import { type Host, type HostSocket, Network } from '../network/network.ts';
import { networks } from '../network/networks.ts';
import { Door } from './door.ts';
import { SimClient, type SimClientOptions } from './sim-client.ts';
import { SimTime } from './sim-time.ts';

export interface CloudOptions {
  readonly seed: number;
  /** Threads that a media node would have. */
  readonly shards?: number;
}

const SITE = 'sim';
const API_KEYS = { devkey: 'secret' };
const NODE_IP = '192.0.2.1';
const MEDIA_PORT = 7882;
const START_WITHIN_US = 5_000_000;
/** After this, everything that starts has started: clients meet the same cloud in every run. */
const READY_AT_US = 10_000_000;
const TOKEN_LIFETIME_S = 86_400;

/** Certificates are real and take real time to make; one is enough for all simulated clients of a process. */
let clientIdentity: { readonly identity: Identity; readonly fingerprint: Fingerprint } | undefined;

/**
 * A whole Sluice in one process on virtual time: the controller, a media node with the compiled packet path, signaling
 * without HTTP, and clients, over a simulated network. What is simulated is the network and the clock; nothing else.
 */
export class Cloud {
  readonly time = new SimTime();
  readonly network: Network;
  readonly clients: SimClient[] = [];
  readonly #logger = new RecordingLogger();
  readonly #metrics = createMetrics();
  readonly #random: RandomBytes;
  readonly #hub: InProcessHub;
  readonly #buses: InProcessBus[] = [];
  readonly #keys: KeyRing;
  readonly #controller: Controller;
  readonly #node: MediaNode;
  readonly #nodeHost: Host;
  readonly #sessions: Sessions;
  readonly #door: Door;
  #path: SimPath | undefined;
  #hosts = 0;

  private constructor({ seed, shards = 1 }: CloudOptions) {
    const { clock } = this.time;
    this.#random = seededRandom(seed);
    this.network = new Network(clock, seed);
    this.#hub = new InProcessHub({ clock, random: this.#random, bodies: 'frozen' });
    const sealer = createSealer('the secret of a simulated cloud', systemRandom);
    const metrics = this.#metrics;
    const depsOf = (part: string) => {
      const bus = this.#hub.connect();
      this.#buses.push(bus);
      return { bus, clock, random: this.#random, metrics, sealer, logger: this.#logger.with({ part }) };
    };
    this.#controller = startController(ControllerConfig.parse({}), depsOf('controller'));
    this.#nodeHost = this.network.host(NODE_IP, networks.perfect);
    const nodeConfig = MediaNodeConfig.parse({ site: SITE, bindAddresses: [NODE_IP], udpPort: MEDIA_PORT, shards });
    this.#node = startMediaNode(nodeConfig, {
      ...depsOf('media-node'),
      openPacketPath: (wish) => {
        const socket = this.#nodeHost.open((from, datagram) => path.receive(from, datagram), MEDIA_PORT);
        const path = new SimPath(wish, { clock, seed, onDatagram: (to, bytes) => socket.send(to, bytes) }, socket);
        this.#path = path;
        return path;
      },
    });
    this.#keys = new KeyRing(API_KEYS, clock);
    this.#door = new Door({ time: this.time, keys: this.#keys, directory: () => this.#sessions.directory });
    this.#sessions = openSessions(SignalingConfig.parse({ site: SITE, apiKeys: API_KEYS }), {
      ...depsOf('signaling'),
      tokens: { refresh: (claims) => this.time.await(this.#keys.refresh(claims)) },
      sockets: () => this.#door.sockets,
    });
  }

  static async start(options: CloudOptions): Promise<Cloud> {
    const cloud = new Cloud(options);
    const { time } = cloud;
    await time.until(Promise.all([cloud.#controller.ready, cloud.#node.ready]), START_WITHIN_US, 'starting');
    await time.run(READY_AT_US - time.clock.nowUs());
    return cloud;
  }

  /** What the processes have logged. */
  get log(): readonly LogLine[] {
    return this.#logger.lines;
  }

  /** What the processes have logged since the last time. */
  takeLog(): LogLine[] {
    return this.#logger.lines.splice(0);
  }

  /** The processes' metrics, in the text format of Prometheus. */
  async metrics(): Promise<string> {
    return await this.#metrics.text();
  }

  /** Sessions that signaling holds, and rooms with someone in them. */
  get sizes(): { readonly sessions: number; readonly rooms: number; readonly sockets: number } {
    const { size, rooms } = this.#sessions.directory;
    return { sessions: size, rooms, sockets: this.#door.sockets };
  }

  async run(seconds: number): Promise<void> {
    await this.time.run(Math.round(seconds * 1_000_000));
  }

  /** A client with a token, on a host of its own; it joins when told. */
  async client(options: SimClientOptions): Promise<SimClient> {
    const { identity, roomName, network } = options;
    const token = await this.time.await(
      makeToken({
        apiKey: 'devkey',
        secret: API_KEYS.devkey,
        identity,
        video: { roomJoin: true, room: roomName, canUpdateOwnMetadata: true },
        nowMs: this.time.clock.unixMs(),
        lifetimeS: TOKEN_LIFETIME_S,
      }),
    );
    this.#hosts += 1;
    const host = this.network.host(clientIp(this.#hosts), network);
    clientIdentity ??= makeClientIdentity();
    const client = new SimClient(options, {
      clock: this.time.clock,
      random: this.#random,
      dial: this.#door.dialerOf(host),
      host,
      token,
      ...clientIdentity,
    });
    this.clients.push(client);
    return client;
  }

  /** Clients that are over are not kept any longer. */
  forgetEnded(): void {
    const ended = this.clients.filter(({ room }) => room.state === 'ended');
    for (const { host } of ended) host.remove();
    this.clients.splice(0, this.clients.length, ...this.clients.filter((client) => !ended.includes(client)));
  }

  /** The bus is away, for every process, until it is restored. */
  cutBus(): void {
    this.#hub.cut();
  }

  restoreBus(): void {
    this.#hub.restore();
  }

  async snapshot(): Promise<PathSnapshot | undefined> {
    return await this.#path?.snapshot();
  }

  /** What the media node knows of the sessions of someone. */
  async sessionsOf(identity: string): Promise<SessionSnapshot[]> {
    const path = this.#path;
    if (path === undefined) return [];
    const known = await Promise.all(path.sessionsOf(identity).map((session) => path.snapshot(session)));
    return known.flatMap((snapshot) => snapshot ?? []);
  }

  /** Every process ends, and every client that is still there. What is left behind is a defect. */
  async close(): Promise<{ readonly timers: number }> {
    for (const client of this.clients) client.vanish();
    this.#sessions.leave();
    const closing = (async () => {
      await this.#node.close();
      await this.#controller.close();
      this.#sessions.close();
      for (const bus of this.#buses) await bus.close();
    })();
    await this.time.until(closing, START_WITHIN_US, 'closing');
    // Connections of clients that vanished are noticed after two pings.
    await this.run(CLIENTS_GONE_S);
    return { timers: this.time.clock.pendingTimers() };
  }
}

const CLIENTS_GONE_S = 25;

/** A packet path on a host: nothing reaches it once it is closed. Remembers whose sessions it has. */
class SimPath extends ManualPath {
  readonly #socket: HostSocket;
  readonly #owners = new Map<SessionId, string>();

  constructor(wish: PacketPathWish, options: ManualPathOptions, socket: HostSocket) {
    super(wish, options);
    this.#socket = socket;
  }

  override apply(spec: SessionSpec, version: Parameters<ManualPath['apply']>[1]): void {
    this.#owners.set(spec.session, spec.identity);
    super.apply(spec, version);
  }

  override drop(session: SessionId): void {
    this.#owners.delete(session);
    super.drop(session);
  }

  sessionsOf(identity: string): SessionId[] {
    return [...this.#owners].flatMap(([session, owner]) => (owner === identity ? [session] : []));
  }

  override close(): void {
    this.#socket.close();
    super.close();
  }
}

const clientIp = (index: number): string => `198.51.${100 + (index >> 8)}.${index & 0xff}`;

function makeClientIdentity(): { readonly identity: Identity; readonly fingerprint: Fingerprint } {
  const identity = generateIdentity(1_700_000_000, 36_500);
  const der = new X509Certificate(identity.certificatePem).raw;
  const hex = createHash('sha256').update(der).digest('hex').toUpperCase();
  return { identity, fingerprint: Fingerprint.parse({ algorithm: 'sha-256', value: hex.match(/../g)?.join(':') }) };
}
