import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock, Logger } from '@sluice/runtime';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { WebSocketServer } from 'ws';
import { cannotListen } from '../errors.ts';
import type { ConnectRequest } from '../messages/connect-request.ts';
import type { ClientInput, ClientLink, HttpRefusal, Pages, TlsIdentity } from '../ports.ts';
import type { Grants } from '../tokens/claims.ts';
import type { KeyRing } from '../tokens/key-ring.ts';
import { admit, type ConnectTarget } from './admission.ts';
import { ClientSocket, type SocketCounters } from './client-socket.ts';
import { writeRefusal } from './http-refusal.ts';

/** Lets clients in: the session directory does. */
export interface Doorkeeper {
  connect(request: ConnectRequest, grants: Grants, link: ClientLink): ClientInput;
}

export interface HttpServerOptions {
  readonly doorkeeper: Doorkeeper;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counters: SocketCounters & { refused(status: number): void };
  readonly queuedBytesPerClient: number;
  readonly pages: Pages | undefined;
  /** PEM texts; absent: plain HTTP. */
  readonly tls: TlsIdentity | undefined;
}

/** One frame of a client; the stock server takes as much. */
const LARGEST_FRAME_BYTES = 2 * 1024 * 1024;
/** A join_request and a long token stand in one URL. */
const LARGEST_HEADERS_BYTES = 64 * 1024;
/** Nothing here takes a body. */
const LARGEST_BODY_BYTES = 16 * 1024;
/** A request that takes longer to arrive is none. */
const REQUEST_WITHIN_MS = 10_000;
/** Sockets that have not closed by then are cut off. */
const CLOSE_WITHIN_US = 1_000_000;
const A_DAY_S = 86_400;

/** HTTP and WebSocket for clients. */
export class HttpServer {
  readonly #options: HttpServerOptions;
  readonly #http: FastifyInstance;
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: LARGEST_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  });
  readonly #sockets = new Set<ClientSocket>();

  constructor(options: HttpServerOptions) {
    this.#options = options;
    const { tls } = options;
    const server = { maxHeaderSize: LARGEST_HEADERS_BYTES };
    this.#http = fastify({
      ...(tls === undefined ? { http: server } : { https: { ...server, cert: tls.certificatePem, key: tls.keyPem } }),
      bodyLimit: LARGEST_BODY_BYTES,
      requestTimeout: REQUEST_WITHIN_MS,
      forceCloseConnections: true,
      // Some SDKs put two slashes in front.
      rewriteUrl: (request) => singleSlash(request.url ?? '/'),
    });
    this.#route();
    this.#http.server.on('upgrade', (request, socket, head) => void this.#upgrade(request, socket, head));
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  /** Where it listens, as `http://host:port` or `https://host:port`. */
  async listen(address: string, port: number): Promise<string> {
    try {
      await this.#http.listen({ host: address, port });
    } catch (thrown) {
      throw cannotListen(address, port, thrown);
    }
    const bound = this.#http.server.address() as AddressInfo;
    const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${host}:${bound.port}`;
  }

  /** Gives open sockets a moment to take what was sent to them. */
  async close(): Promise<void> {
    const stopped = this.#http.close();
    const timer = this.#options.clock.setTimer(CLOSE_WITHIN_US, () => {
      for (const socket of this.#sockets) socket.terminate();
    });
    await stopped;
    timer.cancel();
  }

  #route(): void {
    const http = this.#http;
    http.addHook('onRequest', async (request, reply) => {
      // Before anything reads a body or allows other origins: what is answered here is none of signaling's.
      if (this.#options.pages?.(request.raw, reply.raw) === true) {
        reply.hijack();
        return;
      }
      reply.headers(corsHeaders(request));
      if (request.method === 'OPTIONS') await reply.code(204).send();
    });
    http.get('/', (_, reply) => text(reply, 200, 'OK'));
    http.get('/rtc/validate', (request, reply) => this.#validate('v0', request, reply));
    http.get('/rtc/v1/validate', (request, reply) => this.#validate('v1', request, reply));
    for (const path of ['/rtc', '/rtc/v1']) {
      http.get(path, (_, reply) => text(reply, 426, 'this is a WebSocket'));
    }
    http.setNotFoundHandler((_, reply) => text(reply, 404, 'not found'));
    http.setErrorHandler((error: { statusCode?: number }, _, reply) =>
      text(reply, error.statusCode ?? 500, 'bad request'),
    );
  }

  async #validate(route: ConnectTarget['route'], request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const target = connectTarget(route, request.raw);
    const admission = await admit(target, this.#options.keys);
    return admission.ok ? text(reply, 200, 'success') : text(reply, admission.refusal.status, admission.refusal.text);
  }

  /** Never throws: whatever goes wrong is one client's. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', ignoreError);
    try {
      const refusal = await this.#connect(request, socket, head);
      if (refusal === undefined) return;
      this.#options.counters.refused(refusal.status);
      writeRefusal(socket, refusal);
    } catch (thrown) {
      this.#options.logger.error('http.upgrade-failed', { problem: thrown });
      writeRefusal(socket, { status: 500, text: 'internal error' });
    }
  }

  async #connect(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<HttpRefusal | undefined> {
    const route = Object.hasOwn(webSocketRoutes, pathOf(request)) ? webSocketRoutes[pathOf(request)] : undefined;
    if (route === undefined) return { status: 404, text: 'not found' };
    if (!isWebSocketHandshake(request)) return { status: 400, text: 'not a WebSocket handshake' };
    const admission = await admit(connectTarget(route, request), this.#options.keys);
    if (!admission.ok) return admission.refusal;
    if (socket.destroyed) return undefined;
    const { clock, counters, queuedBytesPerClient: queuedBytes, doorkeeper } = this.#options;
    const closed = (client: ClientSocket): void => void this.#sockets.delete(client);
    const client = new ClientSocket({
      server: this.#webSockets,
      request,
      socket,
      head,
      clock,
      counters,
      queuedBytes,
      closed,
    });
    this.#sockets.add(client);
    client.readTo(doorkeeper.connect(admission.request, admission.grants, client));
    return undefined;
  }
}

const webSocketRoutes: Readonly<Record<string, ConnectTarget['route']>> = { '/rtc': 'v0', '/rtc/v1': 'v1' };

const singleSlash = (url: string): string => url.replace(/^\/+/, '/');

function pathOf(request: IncomingMessage): string {
  const path = singleSlash(request.url ?? '/').split('?', 1)[0] ?? '/';
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function connectTarget(route: ConnectTarget['route'], request: IncomingMessage): ConnectTarget {
  const url = request.url ?? '';
  const at = url.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  return { route, query, authorization: request.headers.authorization };
}

/** RFC 6455 §4.2.1: what `ws` would refuse later, when a session already waits for its socket. */
function isWebSocketHandshake({ method, headers }: IncomingMessage): boolean {
  const key = headers['sec-websocket-key'] ?? '';
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(key)
  );
}

/** Any page may use this server: what protects it is the token, which no browser adds by itself. */
function corsHeaders(request: FastifyRequest): Record<string, string> {
  return {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD, POST, OPTIONS',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '*',
    'access-control-max-age': String(A_DAY_S),
    vary: 'access-control-request-headers',
  };
}

const text = (reply: FastifyReply, status: number, body: string): FastifyReply =>
  reply.code(status).type('text/plain; charset=utf-8').send(body);

/** A socket that fails also closes, which is where it is dealt with. */
const ignoreError = (): void => {};
