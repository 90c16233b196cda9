import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@sluice/runtime';
import type { RawData, WebSocket, WebSocketServer } from 'ws';
import { decodeFrame, encodeFrame, type Framing, type ServerMessage } from '../messages/wire.ts';
import type { ClientInput, ClientLink, HttpRefusal } from '../ports.ts';
import { writeRefusal } from './http-refusal.ts';

/** What happens to sockets, for operators. */
export interface SocketCounters {
  slowReader(): void;
  silent(): void;
  oversized(): void;
  frame(way: 'in' | 'out', bytes: number): void;
}

export interface ClientSocketOptions {
  readonly server: WebSocketServer;
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly clock: Clock;
  readonly counters: SocketCounters;
  /** What may wait to be sent. */
  readonly queuedBytes: number;
  /** It is over, refused or not. */
  readonly closed: (socket: ClientSocket) => void;
}

/** How often a socket is asked whether anyone is there; one that is silent for two of these is closed. */
const PING_US = 10_000_000;

/**
 * A client's WebSocket. The HTTP request stays unanswered until there is something to say, so that until then it can
 * be refused with a status: browsers show nothing else of a connection that failed.
 */
export class ClientSocket implements ClientLink {
  readonly #options: ClientSocketOptions;
  #input: ClientInput | undefined;
  #webSocket: WebSocket | undefined;
  #state: 'pending' | 'open' | 'closed' = 'pending';
  #over = false;
  /** Clients are answered in the framing they last used. */
  #framing: Framing = 'binary';
  #heard = true;
  #pingTimer: Timer | undefined;
  #pauseTimer: Timer | undefined;

  constructor(options: ClientSocketOptions) {
    this.#options = options;
    options.socket.on('close', this.#gone);
  }

  /** Whom its messages are for. To be called at once: nothing is read before. */
  readTo(input: ClientInput): void {
    this.#input = input;
    if (this.#over) input.closed();
  }

  send(message: ServerMessage): void {
    const webSocket = this.#open();
    if (webSocket === undefined) return;
    if (webSocket.bufferedAmount > this.#options.queuedBytes) {
      this.#options.counters.slowReader();
      webSocket.terminate();
      return;
    }
    const frame = encodeFrame(message, this.#framing);
    this.#options.counters.frame('out', frame.length);
    webSocket.send(frame, ignoreError);
  }

  refuse(refusal: HttpRefusal): void {
    if (this.#state !== 'pending') return;
    this.#state = 'closed';
    writeRefusal(this.#options.socket, refusal);
  }

  close(): void {
    this.#open()?.close(NORMAL_CLOSURE);
  }

  pause(forUs: number): void {
    if (this.#state !== 'open' || this.#pauseTimer !== undefined) return;
    this.#webSocket?.pause();
    this.#pauseTimer = this.#options.clock.setTimer(forUs, () => {
      this.#pauseTimer = undefined;
      this.#webSocket?.resume();
    });
  }

  /** The server goes: whatever could not be sent by now never will. */
  terminate(): void {
    if (this.#webSocket !== undefined) this.#webSocket.terminate();
    else this.#options.socket.destroy();
  }

  /** The open socket, opening it if need be; undefined when it is closed. */
  #open(): WebSocket | undefined {
    if (this.#state === 'pending') this.#upgrade();
    return this.#state === 'open' ? this.#webSocket : undefined;
  }

  #upgrade(): void {
    const { server, request, socket, head } = this.#options;
    // Unless the callback comes, and comes at once, the handshake was refused or the client has gone.
    this.#state = 'closed';
    server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#state = 'open';
      socket.off('close', this.#gone);
      this.#webSocket = webSocket;
      webSocket.on('message', (data, isBinary) => this.#message(data, isBinary));
      webSocket.on('pong', () => {
        this.#heard = true;
      });
      webSocket.on('error', (error) => {
        if ('code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') this.#options.counters.oversized();
      });
      webSocket.on('close', this.#gone);
      this.#pingLater();
    });
  }

  #message(data: RawData, isBinary: boolean): void {
    // With the default `binaryType` every message is one Buffer.
    if (!Buffer.isBuffer(data) || this.#input === undefined) return;
    this.#heard = true;
    this.#options.counters.frame('in', data.length);
    this.#framing = isBinary ? 'binary' : 'text';
    const decoded = decodeFrame(isBinary ? data : data.toString('utf8'));
    if (decoded.ok) this.#input.message(decoded.message);
    else this.#input.malformed(decoded.reason);
  }

  #pingLater(): void {
    this.#pingTimer = this.#options.clock.setTimer(PING_US, () => {
      if (!this.#heard) {
        this.#options.counters.silent();
        this.#webSocket?.terminate();
        return;
      }
      this.#heard = false;
      this.#webSocket?.ping(ignoreError);
      this.#pingLater();
    });
  }

  readonly #gone = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#state = 'closed';
    this.#pingTimer?.cancel();
    this.#pauseTimer?.cancel();
    this.#options.closed(this);
    this.#input?.closed();
  };
}

/** RFC 6455 §7.4.1 */
const NORMAL_CLOSURE = 1000;

/** A socket that fails to send also closes, which is where it is dealt with. */
const ignoreError = (): void => {};
