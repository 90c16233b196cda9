import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerConnection, Publication } from '@sluice/load-tester';
import type { ClientPorts, Member, PeerAdapter, Place, RunningPeer } from './adapter.ts';
import { PinnedProcess } from './process.ts';

/** Debian's package has one folder for each architecture. */
const modules = (): string | undefined => globSync('/usr/lib/*/janus')[0];

/** Janus with its video room plugin: JSON over WebSocket, one handle for each peer connection. */
export const janus: PeerAdapter = {
  name: 'Janus',
  missing: () => {
    const there = existsSync('/usr/bin/janus') && modules() !== undefined;
    return there ? undefined : 'Janus is not installed: apt-get install -y janus';
  },
  async start({ cpu, folder, clients }: Place): Promise<RunningPeer> {
    const port = await freePort();
    configure(folder, port);
    const server = await PinnedProcess.start({
      cpu,
      command: '/usr/bin/janus',
      args: ['-F', folder, '-C', `${folder}/janus.jcfg`, '--disable-colors'],
      ready: (said) => /WebSockets thread started/.test(said),
    });
    try {
      return new RunningJanus(server, await Api.open(port), clients);
    } catch (error) {
      await server.stop();
      throw error;
    }
  },
};

function configure(folder: string, port: number): void {
  const from = modules() ?? '';
  const loaded = (kind: string, wanted: string): string =>
    globSync(`${from}/${kind}/*.so`)
      .map((file) => file.slice(file.lastIndexOf('/') + 1))
      .filter((file) => file !== wanted)
      .join(',');
  const files = {
    // One event loop serves all handles: a thread for each, the default, costs it nearly twice as much.
    'janus.jcfg': `
general: {
  configs_folder = "${folder}"
  plugins_folder = "${from}/plugins"
  transports_folder = "${from}/transports"
  events_folder = "${from}/events"
  loggers_folder = "${from}/loggers"
  debug_level = 4
  debug_timestamps = false
  event_loops = 1
  session_timeout = 0
}
media: { ipv6 = false, rtp_port_range = "20000-59999" }
nat: { ice_lite = true, full_trickle = false, ignore_mdns = true }
plugins: { disable = "${loaded('plugins', 'libjanus_videoroom.so')}" }
transports: { disable = "${loaded('transports', 'libjanus_websockets.so')}" }
loggers: { disable = "libjanus_jsonlog.so" }
events: { broadcast = false }
`,
    'janus.transport.websockets.jcfg': `
general: { json = "plain", ws = true, ws_port = ${port}, ws_ip = "127.0.0.1", wss = false }
admin: { admin_ws = false }
`,
    'janus.plugin.videoroom.jcfg': 'general: { }\n',
  };
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
}

interface Published {
  readonly identity: string;
  readonly feed: number;
}

class RunningJanus implements RunningPeer {
  readonly version: string;
  readonly notes = [
    'Debian’s package, video room plugin, one event loop (a thread for each handle costs it more), ICE lite, no data channels',
    'transport-wide numbers and feedback for video, not for audio',
  ];
  readonly #server: PinnedProcess;
  readonly #api: Api;
  readonly #clients: ClientPorts;
  readonly #rooms = new Map<string, { readonly number: number; readonly publishers: Published[] }>();
  /** Members who want what is published, and have not asked yet. */
  #waiting: Member[] = [];
  #feeds = 0;

  constructor(server: PinnedProcess, api: Api, clients: ClientPorts) {
    this.#server = server;
    this.#api = api;
    this.#clients = clients;
    this.version = /Janus version: \d+ \(([^)]+)\)/.exec(server.said)?.[1] ?? '';
  }

  get pid(): number {
    return this.#server.pid;
  }

  async join(member: Member): Promise<void> {
    const room = await this.#room(member.room);
    if (Object.keys(member.publishes).length > 0) {
      const feed = await this.#publish(member, room.number);
      room.publishers.push({ identity: member.identity, feed });
    }
    if (member.receives) this.#waiting.push(member);
  }

  async subscribe(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    const next = async (): Promise<void> => {
      for (let member = waiting.pop(); member !== undefined; member = waiting.pop()) await this.#receive(member);
    };
    await Promise.all(Array.from({ length: 8 }, next));
  }

  async stop(): Promise<void> {
    this.#api.close();
    await this.#server.stop();
  }

  async #room(name: string): Promise<{ readonly number: number; readonly publishers: Published[] }> {
    const known = this.#rooms.get(name);
    if (known !== undefined) return known;
    const room = { number: this.#rooms.size + 1, publishers: [] };
    this.#rooms.set(name, room);
    const handle = await this.#api.attach();
    await handle.ask({
      request: 'create',
      room: room.number,
      publishers: 1_000,
      bitrate: 0,
      audiocodec: 'opus',
      videocodec: 'vp8',
      transport_wide_cc_ext: true,
      audiolevel_event: false,
      notify_joining: false,
    });
    return room;
  }

  /** RTCPeerConnection's part, by the same class that Sluice's clients use. */
  #connection(): { readonly connection: PeerConnection; readonly up: Promise<void> } {
    const up = Promise.withResolvers<void>();
    const connection = new PeerConnection({
      ...this.#clients,
      channels: [],
      isIdle: () => false,
      onEvent: (event) => {
        if (event.type === 'connected') up.resolve();
        if (event.type === 'ended') up.reject(new Error(`a peer connection ended: ${event.reason}`));
      },
    });
    // It may end long after it was waited for.
    up.promise.catch(() => {});
    return { connection, up: up.promise };
  }

  async #publish({ identity, publishes }: Member, room: number): Promise<number> {
    const handle = await this.#api.attach();
    // Its own ids are beyond what a JSON number holds in JavaScript.
    this.#feeds += 1;
    const id = this.#feeds;
    await handle.ask({ request: 'join', ptype: 'publisher', room, id, display: identity });
    const { connection, up } = this.#connection();
    for (const publishing of Object.values(publishes)) {
      connection.local.addSending(new Publication(publishing, this.#clients.random));
    }
    const offer = { type: 'offer', sdp: connection.local.offer() };
    const { jsep } = await handle.ask({ request: 'configure', audio: true, video: true }, offer);
    taken(connection.takeAnswer(jsep?.sdp ?? '', {}));
    handle.trickleCompleted();
    await up;
    return id;
  }

  async #receive({ room: name, identity }: Member): Promise<void> {
    const room = await this.#room(name);
    const streams = room.publishers.filter((each) => each.identity !== identity).map(({ feed }) => ({ feed }));
    const handle = await this.#api.attach();
    const { jsep } = await handle.ask({
      request: 'join',
      ptype: 'subscriber',
      room: room.number,
      autoupdate: false,
      streams,
    });
    const { connection, up } = this.#connection();
    const answered = connection.takeOffer(jsep?.sdp ?? '', {});
    taken(answered);
    await handle.ask({ request: 'start' }, { type: 'answer', sdp: answered.answer ?? '' });
    handle.trickleCompleted();
    await up;
  }
}

function taken(result: { readonly ok: true } | { readonly ok: false; readonly what: string }): void {
  if (!result.ok) throw new Error(`Janus's description cannot be used: ${result.what}`);
}

interface Jsep {
  readonly type: string;
  readonly sdp: string;
}

interface Message {
  readonly janus: string;
  readonly transaction?: string;
  readonly data?: { readonly id?: number };
  readonly error?: { readonly reason?: string };
  readonly plugindata?: { readonly data?: Readonly<Record<string, unknown>> };
  readonly jsep?: Jsep;
}

const ANSWER_WITHIN_MS = 20_000;

/** The Janus API over one WebSocket, with one session: https://janus.conf.meetecho.com/docs/rest.html */
class Api {
  readonly #socket: WebSocket;
  readonly #open = new Map<string, PromiseWithResolvers<Message>>();
  #session = 0;
  #transactions = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#message(JSON.parse(String(data))));
  }

  static async open(port: number): Promise<Api> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'janus-protocol');
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error('Janus takes no WebSocket')));
    });
    const api = new Api(socket);
    const { data } = await api.ask({ janus: 'create' });
    api.#session = data?.id ?? 0;
    return api;
  }

  async attach(): Promise<Handle> {
    const { data } = await this.ask({ janus: 'attach', plugin: 'janus.plugin.videoroom' });
    return new Handle(this, data?.id ?? 0);
  }

  /** Resolves with what answers it; an `ack` says only that an answer will come. */
  async ask(message: Readonly<Record<string, unknown>>): Promise<Message> {
    this.#transactions += 1;
    const transaction = String(this.#transactions);
    const waiting = Promise.withResolvers<Message>();
    this.#open.set(transaction, waiting);
    const session = this.#session === 0 ? {} : { session_id: this.#session };
    this.#socket.send(JSON.stringify({ ...message, ...session, transaction }));
    const overdue = new AbortController();
    const answer = await Promise.race([
      waiting.promise,
      sleep(ANSWER_WITHIN_MS, undefined, { signal: overdue.signal }).catch(() => undefined),
    ]);
    overdue.abort();
    this.#open.delete(transaction);
    if (answer === undefined) throw new Error(`Janus did not answer ${String(message['janus'])}`);
    const wrong = answer.error?.reason ?? answer.plugindata?.data?.['error'];
    if (wrong !== undefined) throw new Error(`Janus: ${String(wrong)}`);
    return answer;
  }

  /** What is not answered by more than an `ack`. */
  tell(message: Readonly<Record<string, unknown>>): void {
    this.#socket.send(JSON.stringify({ ...message, session_id: this.#session, transaction: 'told' }));
  }

  close(): void {
    this.#socket.close();
  }

  #message(message: Message): void {
    if (message.janus !== 'ack') this.#open.get(message.transaction ?? '')?.resolve(message);
  }
}

/** One peer connection's worth of Janus. */
class Handle {
  readonly #api: Api;
  readonly #id: number;

  constructor(api: Api, id: number) {
    this.#api = api;
    this.#id = id;
  }

  async ask(body: Readonly<Record<string, unknown>>, jsep?: Jsep): Promise<Message> {
    const wish = jsep === undefined ? { body } : { body, jsep };
    return await this.#api.ask({ janus: 'message', handle_id: this.#id, ...wish });
  }

  trickleCompleted(): void {
    this.#api.tell({ janus: 'trickle', handle_id: this.#id, candidate: { completed: true } });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
