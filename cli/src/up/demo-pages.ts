import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Makes a token for someone who joins a room by the demo page. */
export type DemoToken = (room: string, name: string) => Promise<string>;

export interface DemoPagesOptions {
  /** Where the bundled page is; undefined: there is no page. */
  readonly folder: string | undefined;
  /** Absent: `POST /demo/token` does not exist. */
  readonly token?: DemoToken;
}

interface Page {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
  zipped?: Buffer;
}

/** A room and a name, with room to spare. */
const MOST_BODY_BYTES = 4_096;
const MOST_NAME_CHARACTERS = 256;

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const safety = {
  'content-security-policy': [
    "default-src 'self'",
    "connect-src 'self' ws: wss:",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The demo page at `/`, and the development tokens it asks for. */
export class DemoPages {
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #token: DemoToken | undefined;

  constructor({ folder, token }: DemoPagesOptions) {
    this.#pages = folder === undefined ? new Map() : readPages(folder);
    this.#token = token;
  }

  /** There is a page to show; a clone that only ran the tests of other parts has none. */
  get available(): boolean {
    return this.#pages.has('/');
  }

  /** Answers what is the demo's; false: it is not. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (path === '/demo/token' && this.#token !== undefined) {
      void this.#giveToken(request, response, this.#token).catch(() => answer(response, 400, 'bad request'));
      return true;
    }
    const page = this.#pages.get(path);
    if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return false;
    // `GET /` is also the health check of load balancers and SDKs, which do not ask for a page.
    if (path === '/' && request.headers.accept?.includes('text/html') !== true) return false;
    void sendPage(request, response, path, page);
    return true;
  }

  async #giveToken(request: IncomingMessage, response: ServerResponse, token: DemoToken): Promise<void> {
    if (request.method !== 'POST') return answer(response, 405, 'only POST');
    if (!fromThisPage(request)) return answer(response, 403, 'only for the page of this server, on this machine');
    const body = await readBody(request);
    const asked: unknown = body === undefined ? undefined : parse(body);
    const { room, name } = (asked ?? {}) as { room?: unknown; name?: unknown };
    if (!isName(room) || typeof name !== 'string' || name.length > MOST_NAME_CHARACTERS) {
      return answer(response, 400, 'a room and a name, please');
    }
    const text = JSON.stringify({ token: await token(room, name.trim() || 'Guest') });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(text);
  }
}

function readPages(folder: string): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  if (!existsSync(folder)) return pages;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const type = types[extname(file)];
    if (type === undefined) continue;
    const body = readFileSync(`${folder}/${file}`);
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    pages.set(file === 'index.html' ? '/' : `/${file}`, { type, body, etag });
  }
  return pages;
}

async function sendPage(request: IncomingMessage, response: ServerResponse, path: string, page: Page): Promise<void> {
  const headers = {
    ...safety,
    'content-type': page.type,
    etag: page.etag,
    // The names of assets carry the hash of their content.
    'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'accept-encoding',
  };
  if (request.headers['if-none-match'] === page.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const zips = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (zips) page.zipped ??= await promisify(gzip)(page.body);
  const body = zips && page.zipped !== undefined ? page.zipped : page.body;
  response.writeHead(200, {
    ...headers,
    ...(zips ? { 'content-encoding': 'gzip' } : {}),
    'content-length': body.length,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/**
 * Not from another site's page, and not by a foreign name that was made to point here (DNS rebinding): a token for
 * the asking is for who sits at this machine.
 */
function fromThisPage({ headers }: IncomingMessage): boolean {
  const host = headers.host ?? '';
  const local = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host);
  const { origin } = headers;
  return local && (origin === undefined || origin === `http://${host}` || origin === `https://${host}`);
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BODY_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= MOST_NAME_CHARACTERS;

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
