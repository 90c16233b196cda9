import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire, stripTypeScriptTypes } from 'node:module';
import type { AddressInfo } from 'node:net';

const here = (path: string): string => new URL(`../${path}`, import.meta.url).pathname;
const require = createRequire(import.meta.url);

/** Serves the bare test page on a port of its own: another origin than Sluice's, as an application would be. */
export class PageServer implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  static async start(): Promise<PageServer> {
    const files = contents();
    const server = createServer((request, response) => {
      const file = files.get(request.url ?? '');
      if (file === undefined) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': file.type }).end(file.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new PageServer(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

function contents(): ReadonlyMap<string, { type: string; body: string }> {
  const script = (path: string) => ({
    type: 'text/javascript; charset=utf-8',
    body: stripTypeScriptTypes(readFileSync(here(path), 'utf8')),
  });
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', body: readFileSync(here('page/index.html'), 'utf8') }],
    ['/call.js', script('page/call.ts')],
    // The page's `../src/test-message.ts`, seen from `/call.js`.
    ['/src/test-message.ts', script('src/test-message.ts')],
    [
      '/livekit-client.umd.js',
      { type: 'text/javascript; charset=utf-8', body: readFileSync(require.resolve('livekit-client'), 'utf8') },
    ],
  ]);
}
