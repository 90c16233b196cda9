import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { metricsContentType } from '@sluice/runtime';
import type { SluiceConfig } from '../configuration/schema.ts';
import { metricsCannotListen } from '../errors.ts';
import { debugAnswer, type Inspected, mayDebug } from './debug-pages.ts';
import { answerHealth, type Readiness } from './health.ts';
import type { World } from './world.ts';

export interface MetricsServer {
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** What it shows besides the numbers. */
export interface Shown {
  readonly readiness: Readiness;
  /** undefined: there is none in this process, or it is not up. */
  readonly node: () => Inspected | undefined;
}

/** Answers Prometheus, when a port is configured. Apart from signaling's: these numbers are nobody else's business. */
export function startMetricsServer(
  { address, port }: SluiceConfig['metrics'],
  { metrics }: World,
  { readiness, node }: Shown,
): MetricsServer {
  if (port === undefined) return { ready: Promise.resolve(), close: async () => undefined };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (answerHealth(path, readiness, response)) return;
    if (path.startsWith('/debug') && mayDebug(address, request.headers.host)) {
      void debug(path, node(), response);
      return;
    }
    if (path !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    metrics.text().then(
      (text) => response.writeHead(200, { 'content-type': metricsContentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  const ready = (async () => {
    server.listen(port, address);
    try {
      await once(server, 'listening');
    } catch (cause) {
      throw metricsCannotListen(address, port, cause);
    }
  })();
  return {
    ready,
    close: async () => {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function debug(path: string, node: Inspected | undefined, response: ServerResponse): Promise<void> {
  try {
    const { status, json } = await debugAnswer(path, node);
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(json, undefined, 2));
  } catch {
    response.writeHead(500).end();
  }
}
