import type { RoomClientPorts, SignalClosure, SignalLink, SignalListener, SignalTarget } from '@sluice/load-tester';
import type { Timer } from '@sluice/runtime';
import {
  admit,
  type ClientInput,
  type ClientLink,
  decodeFrame,
  encodeFrame,
  type HttpRefusal,
  type KeyRing,
  type ServerMessage,
  type Sessions,
} from '@sluice/signaling/internal';
import type { Host } from '../network/network.ts';
import type { Stream } from '../network/stream.ts';
import type { SimTime } from './sim-time.ts';

export interface DoorOptions {
  readonly time: SimTime;
  readonly keys: KeyRing;
  readonly directory: () => Sessions['directory'];
}

/**
 * The way into signaling without sockets: the same admission and the same frames as by HTTP, over streams of the
 * simulated network instead of a WebSocket.
 */
export class Door {
  readonly #options: DoorOptions;
  #open = 0;

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Connections open now, as the server sees them. */
  get sockets(): number {
    return this.#open;
  }

  /** What clients on this host have for dialing. */
  dialerOf(host: Host): RoomClientPorts['dial'] {
    return (target, listener) => {
      const { up, down } = host.connect();
      this.#open += 1;
      const over = (): void => {
        this.#open -= 1;
      };
      const wire: Wire = { up, down, client: new ClientEnd(up, listener), over };
      const server = new ServerEnd(this.#options, wire);
      wire.client.connect(server);
      // A handshake goes there and back before the request does.
      up.send(() => down.send(() => up.send(() => void server.requested(target))));
      return wire.client;
    };
  }
}

interface Wire {
  readonly up: Stream;
  readonly down: Stream;
  readonly client: ClientEnd;
  /** The server has done with it. */
  readonly over: () => void;
}

class ClientEnd implements SignalLink {
  readonly #up: Stream;
  readonly #listener: SignalListener;
  #server: ServerEnd | undefined;
  #over = false;

  constructor(up: Stream, listener: SignalListener) {
    this.#up = up;
    this.#listener = listener;
  }

  connect(server: ServerEnd): void {
    this.#server = server;
  }

  send(frame: Uint8Array): void {
    if (!this.#over) this.#up.send(() => this.#server?.frame(frame));
  }

  close(): void {
    this.#over = true;
    this.#up.send(() => this.#server?.gone());
  }

  /** What the server sent. */
  frame(bytes: Uint8Array): void {
    if (!this.#over) this.#listener.frame(bytes);
  }

  /** The server has closed. */
  closed(why: SignalClosure): void {
    this.#up.send(() => this.#server?.gone());
    if (this.#over) return;
    this.#over = true;
    this.#listener.closed(why);
  }
}

/** As `ClientSocket` does it. */
const PING_US = 10_000_000;

class ServerEnd implements ClientLink {
  readonly #options: DoorOptions;
  readonly #wire: Wire;
  #input: ClientInput | undefined;
  #state: 'pending' | 'open' | 'closing' | 'over' = 'pending';
  #heard = true;
  #ping: Timer | undefined;
  #pause: Timer | undefined;
  readonly #unread: Uint8Array[] = [];

  constructor(options: DoorOptions, wire: Wire) {
    this.#options = options;
    this.#wire = wire;
    this.#pingLater();
  }

  async requested({ path, query, token }: SignalTarget): Promise<void> {
    const { time, keys, directory } = this.#options;
    const target = { route: path === '/rtc/v1' ? 'v1' : 'v0', query, authorization: `Bearer ${token}` } as const;
    const admission = await time.await(admit(target, keys));
    if (this.#state === 'over') return;
    if (!admission.ok) this.refuse(admission.refusal);
    else this.#input = directory().connect(admission.request, admission.grants, this);
  }

  send(message: ServerMessage): void {
    if (this.#state !== 'pending' && this.#state !== 'open') return;
    this.#state = 'open';
    const frame = encodeFrame(message, 'binary');
    if (typeof frame !== 'string') this.#wire.down.send(() => this.#wire.client.frame(frame));
  }

  refuse({ status, text }: HttpRefusal): void {
    if (this.#state === 'pending') this.#close({ status, text });
  }

  close(): void {
    if (this.#state === 'open') this.#close({ status: 0, text: 'closed by the server' });
  }

  pause(forUs: number): void {
    this.#pause ??= this.#options.time.clock.setTimer(forUs, () => {
      this.#pause = undefined;
      for (const frame of this.#unread.splice(0)) this.frame(frame);
    });
  }

  /** What the client sent. */
  frame(bytes: Uint8Array): void {
    this.#heard = true;
    if (this.#pause !== undefined) {
      this.#unread.push(bytes);
      return;
    }
    const decoded = decodeFrame(bytes);
    if (decoded.ok) this.#input?.message(decoded.message);
    else this.#input?.malformed(decoded.reason);
  }

  /** The client has closed, or is not there any more. */
  gone(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#ping?.cancel();
    this.#pause?.cancel();
    this.#wire.up.close();
    this.#wire.down.close();
    this.#wire.over();
    this.#input?.closed();
  }

  #close(why: SignalClosure): void {
    this.#state = 'closing';
    this.#wire.down.send(() => this.#wire.client.closed(why));
  }

  #pingLater(): void {
    this.#ping = this.#options.time.clock.setTimer(PING_US, () => {
      if (!this.#heard) {
        this.gone();
        return;
      }
      this.#heard = false;
      const { up, down } = this.#wire;
      down.send(() =>
        up.send(() => {
          this.#heard = true;
        }),
      );
      this.#pingLater();
    });
  }
}
