import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { JoinRequest, SignalRequest, SignalResponse, WrappedJoinRequest } from '@livekit/protocol';
import { AppError, createLogger, silentLogger, systemClock } from '@sluice/runtime';
import { VirtualClock } from '@sluice/runtime/internal';
import { WebSocket } from 'ws';
import type { ConnectRequest } from '../messages/connect-request.ts';
import type { ClientMessage } from '../messages/wire.ts';
import type { ClientInput, ClientLink } from '../ports.ts';
import type { Grants, VideoGrant } from '../tokens/claims.ts';
import { KeyRing } from '../tokens/key-ring.ts';
import { makeToken } from '../tokens/make.ts';
import { HttpServer, type HttpServerOptions } from './http-server.ts';

/** A doorkeeper that keeps who came, and lets the test decide. */
class Door implements ClientInput {
  link: ClientLink | undefined;
  request: ConnectRequest | undefined;
  grants: Grants | undefined;
  readonly heard: (ClientMessage['case'] | 'malformed' | 'closed')[] = [];
  #waiting: (() => void)[] = [];
  onConnect: (link: ClientLink) => void = (link) => link.send({ case: 'pong', value: 1n });

  connect(request: ConnectRequest, grants: Grants, link: ClientLink): ClientInput {
    Object.assign(this, { request, grants, link });
    this.onConnect(link);
    return this;
  }

  message(message: ClientMessage): void {
    this.#note(message.case);
  }

  malformed(): void {
    this.#note('malformed');
  }

  closed(): void {
    this.#note('closed');
  }

  /** The next thing heard, now or later. */
  async next(): Promise<string | undefined> {
    while (this.heard.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.heard.shift();
  }

  #note(what: ClientMessage['case'] | 'malformed' | 'closed'): void {
    this.heard.push(what);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const counted: Record<string, number> = {};
const count = (name: string) => (): void => {
  counted[name] = (counted[name] ?? 0) + 1;
};
const keys = new KeyRing({ devkey: 'secret' }, systemClock);
let door = new Door();
let server: HttpServer;
let url = '';
const lines: string[] = [];

const options = (over: Partial<HttpServerOptions> = {}): HttpServerOptions => ({
  doorkeeper: { connect: (...request) => door.connect(...request) },
  keys,
  clock: systemClock,
  logger: createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) }),
  counters: {
    slowReader: count('slow'),
    silent: count('silent'),
    oversized: count('oversized'),
    frame: () => {},
    refused: count('refused'),
  },
  queuedBytesPerClient: 256 * 1024,
  // A page for browsers that open `/`.
  pages: ({ url: path, headers }, response) => {
    if (path !== '/' || headers.accept?.includes('text/html') !== true) return false;
    response.end('<title>page');
    return true;
  },
  tls: undefined,
  ...over,
});

before(async () => {
  server = new HttpServer(options());
  url = await server.listen('127.0.0.1', 0);
});

after(async () => {
  await server.close();
});

const token = (video: VideoGrant = { roomJoin: true, room: 'r' }): Promise<string> =>
  makeToken({
    apiKey: 'devkey',
    secret: 'secret',
    identity: 'alice',
    video,
    nowMs: systemClock.unixMs(),
    lifetimeS: 60,
  });

const webSocket = (path: string, headers: Record<string, string> = {}): WebSocket => {
  door = new Door();
  return new WebSocket(url.replace('http', 'ws') + path, { headers });
};

/** The status and text of a connection that was refused. */
async function refusal(socket: WebSocket): Promise<[number | undefined, string]> {
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, import('node:http').IncomingMessage];
  let text = '';
  for await (const chunk of response) text += chunk;
  return [response.statusCode, text];
}

const joinRequest = (): string =>
  Buffer.from(
    new WrappedJoinRequest({ joinRequest: new JoinRequest({ metadata: 'm' }).toBinary() }).toBinary(),
  ).toString('base64');

test('http: health for machines, the page for browsers, CORS for everyone', async () => {
  const health = await fetch(url);
  assert.deepEqual([health.status, await health.text()], [200, 'OK']);
  assert.equal(health.headers.get('access-control-allow-origin'), '*');
  const head = await fetch(url, { method: 'HEAD' });
  assert.equal(head.status, 200);
  const browser = await fetch(url, { headers: { accept: 'text/html,*/*' } });
  assert.match(await browser.text(), /<title>page/);
  const preflight = await fetch(`${url}/rtc/validate`, {
    method: 'OPTIONS',
    headers: { 'access-control-request-headers': 'authorization, x-anything' },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-headers'), 'authorization, x-anything');
  assert.equal(preflight.headers.get('access-control-max-age'), '86400');
});

test('http: what is neither the client protocol’s nor a page’s is not found, in words that let SDKs fall back', async () => {
  for (const path of ['/nothing', '/settings/regions', '/rtc/v2/validate']) {
    const response = await fetch(url + path);
    assert.equal(response.status, 404);
    assert.doesNotMatch(await response.text(), /requested room does not exist/);
  }
});

test('validate: answers as the WebSocket would, at both paths', async () => {
  const good = await token();
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<[number, string]> => {
    const response = await fetch(url + path, { headers });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await ask(`/rtc/validate?access_token=${good}`), [200, 'success']);
  assert.deepEqual(await ask('/rtc/validate', { authorization: `Bearer ${good}` }), [200, 'success']);
  assert.deepEqual(
    await ask(`//rtc/v1/validate?access_token=${good}&join_request=${encodeURIComponent(joinRequest())}`),
    [200, 'success'],
  );
  assert.equal((await ask(`/rtc/v1/validate?access_token=${good}`))[0], 400);
  assert.equal((await ask('/rtc/validate'))[0], 401);
  assert.equal((await ask('/rtc/validate?access_token=x.y.z'))[0], 401);
  assert.equal((await ask(`/rtc/validate?access_token=${await token({ room: 'r' })}`))[0], 403);
  assert.equal((await ask(`/rtc/validate?access_token=${await token({ roomJoin: true })}`))[0], 400);
  assert.equal((await ask('/rtc'))[0], 426);
  assert.equal((await ask('/rtc/v2/validate'))[0], 404);
});

const refused: readonly [string, () => Promise<string> | string, number, RegExp][] = [
  ['without a token', () => '/rtc', 401, /none was given/],
  ['with a bad token', () => '/rtc?access_token=abc', 401, /invalid token/],
  ['with a token for nothing', async () => `/rtc?access_token=${await token({})}`, 403, /join a room/],
  [
    'at the newer path without a join_request',
    async () => `/rtc/v1?access_token=${await token()}`,
    400,
    /join_request/,
  ],
  [
    'with a join_request that is noise',
    async () => `/rtc/v1?access_token=${await token()}&join_request=AAAA`,
    400,
    /join_request/,
  ],
  ['at another path', () => '/rtc/v2', 404, /not found/],
  [
    'to publish beside itself without the right',
    async () => `/rtc?publish=x&access_token=${await token({ roomJoin: true, room: 'r', canPublish: false })}`,
    403,
    /publish/,
  ],
];

for (const [what, path, status, text] of refused) {
  test(`websocket: a client ${what} is refused with ${status}`, async () => {
    const [found, body] = await refusal(webSocket(await path()));
    assert.equal(found, status);
    assert.match(body, text);
    assert.equal(door.link, undefined, 'nobody was let in');
  });
}

test('websocket: what the doorkeeper refuses is an HTTP status too', async () => {
  const socket = webSocket(`/rtc?access_token=${await token()}`);
  door.onConnect = (link) => link.refuse({ status: 503, text: 'full' });
  assert.deepEqual(await refusal(socket), [503, 'full']);
});

test('websocket: it opens with the first message, at paths with too many slashes, with a token in either place', async () => {
  const good = await token();
  for (const [path, headers] of [
    [`/rtc?access_token=${good}`, {}],
    ['//rtc', { authorization: `Bearer ${good}` }],
    [`//rtc/v1?join_request=${joinRequest()}`, { authorization: `bearer ${good}` }],
  ] as const) {
    const socket = webSocket(path, headers);
    const [data, isBinary] = await once(socket, 'message');
    assert.equal(isBinary, true);
    assert.equal(SignalResponse.fromBinary(data).message.case, 'pong');
    assert.equal(door.grants?.identity, 'alice');
    socket.close(1000);
    assert.equal(await door.next(), 'closed');
  }
  assert.equal(server.sockets, 0);
});

test('websocket: a client is answered in the framing that it used last', async () => {
  const socket = webSocket(`/rtc?access_token=${await token()}`);
  await once(socket, 'message');
  const ping = new SignalRequest({ message: { case: 'ping', value: 5n } });
  socket.send(ping.toJsonString());
  assert.equal(await door.next(), 'ping');
  door.link?.send({ case: 'pong', value: 6n });
  const [text, isBinary] = await once(socket, 'message');
  assert.deepEqual([isBinary, JSON.parse(String(text))], [false, { pong: '6' }]);
  socket.send(ping.toBinary());
  assert.equal(await door.next(), 'ping');
  door.link?.send({ case: 'pong', value: 7n });
  assert.equal((await once(socket, 'message'))[1], true);
  socket.terminate();
  assert.equal(await door.next(), 'closed');
});

test('websocket: frames that are no messages are told apart; huge ones cost the connection', async () => {
  const socket = webSocket(`/rtc?access_token=${await token()}`);
  await once(socket, 'message');
  socket.send(Buffer.from([0xff, 0xff, 0xff]));
  assert.equal(await door.next(), 'malformed');
  socket.send('{"offer":');
  assert.equal(await door.next(), 'malformed');
  socket.send('[]');
  assert.equal(await door.next(), 'malformed');
  socket.send('{"fromTheFuture":{}}');
  assert.equal(await door.next(), undefined);
  socket.send(Buffer.alloc(2 * 1024 * 1024 + 1));
  const [code] = await once(socket, 'close');
  assert.equal(code, 1009);
  assert.equal(await door.next(), 'closed');
  assert.equal(counted['oversized'], 1);
});

test('websocket: close ends it cleanly; a link that never spoke opens before it closes', async () => {
  const socket = webSocket(`/rtc?access_token=${await token()}`);
  door.onConnect = (link) => link.close();
  const opened = once(socket, 'open');
  const [code] = await once(socket, 'close');
  await opened;
  assert.equal(code, 1000);
  assert.equal(await door.next(), 'closed');
});

/** A client that upgrades and then reads nothing. */
async function deafClient(path: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.pause();
  const head = [
    'Host: x',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  socket.write(`GET ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  return socket;
}

test('websocket: a client that reads too slowly is cut off, and nobody else notices', async () => {
  door = new Door();
  const connected = new Promise<void>((resolve) => {
    door.onConnect = (link) => {
      link.send({ case: 'pong', value: 1n });
      resolve();
    };
  });
  const socket = await deafClient(`/rtc?access_token=${await token()}`);
  await connected;
  const before = counted['slow'] ?? 0;
  const big = 'x'.repeat(64 * 1024);
  for (let n = 0; n < 2000 && (counted['slow'] ?? 0) === before; n++) {
    door.link?.send({ case: 'refreshToken', value: big });
    if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((counted['slow'] ?? 0) - before, 1);
  assert.equal(await door.next(), 'closed');
  socket.destroy();
});

const handshakes: readonly [string, string][] = [
  ['no key', 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13'],
  [
    'another version',
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ],
  ['another protocol', 'Upgrade: h2c\r\nConnection: Upgrade'],
];

for (const [what, headers] of handshakes) {
  test(`websocket: a handshake with ${what} is refused with 400 before anyone is asked`, async () => {
    door = new Door();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write(`GET /rtc?access_token=${await token()} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
    let text = '';
    for await (const chunk of socket) text += chunk;
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.equal(door.link, undefined);
  });
}

test('http: headers have a bound of 64 KiB, and tokens fit well below', async () => {
  const long = await makeToken({
    apiKey: 'devkey',
    secret: 'secret',
    identity: 'a',
    metadata: 'm'.repeat(30_000),
    video: { roomJoin: true, room: 'r' },
    nowMs: systemClock.unixMs(),
    lifetimeS: 60,
  });
  assert.equal((await fetch(`${url}/rtc/validate?access_token=${long}`)).status, 200);
  const tooLong = await fetch(`${url}/rtc/validate?access_token=${'x'.repeat(70_000)}`);
  assert.equal(tooLong.status, 431);
});

test('http: nothing that it logs holds a token', async () => {
  const good = await token();
  await refusal(webSocket(`/rtc?access_token=${good}broken`));
  assert.equal(lines.filter((line) => line.includes(good.slice(-20))).length, 0);
});

test('http: addresses that cannot be listened on say what to do', async () => {
  const taken = new URL(url).port;
  for (const [address, port, code] of [
    ['127.0.0.1', Number(taken), 'SIGNALING_ADDRESS_IN_USE'],
    ['192.0.2.1', 0, 'SIGNALING_ADDRESS_NOT_HERE'],
  ] as const) {
    const other = new HttpServer(options({ logger: silentLogger }));
    await assert.rejects(other.listen(address, port), (error: unknown) => {
      assert.ok(error instanceof AppError);
      assert.equal(error.code, code);
      assert.notEqual(error.advice, undefined);
      return true;
    });
    await other.close();
  }
});

test('websocket: a socket whose other end is gone is cut off after two pings', async () => {
  const clock = new VirtualClock();
  const patient = new HttpServer(options({ clock }));
  const at = await patient.listen('127.0.0.1', 0);
  door = new Door();
  const path = `/rtc?access_token=${await token()}`;
  const socket = new WebSocket(at.replace('http', 'ws') + path, { autoPong: false });
  await once(socket, 'message');
  const pinged = once(socket, 'ping');
  clock.advance(10_000_000);
  await pinged;
  assert.equal(counted['silent'] ?? 0, 0);
  clock.advance(10_000_000);
  assert.equal(await door.next(), 'closed');
  assert.equal(counted['silent'], 1);
  await patient.close();
  assert.equal(clock.pendingTimers(), 0);
});
