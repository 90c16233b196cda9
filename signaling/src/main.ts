import type { Bus } from '@sluice/bus';
import type { Clock, Logger, Metrics, RandomBytes } from '@sluice/runtime';
import type { SignalingConfig } from './config.ts';
import type { Pages, TlsIdentity } from './ports.ts';
import { openSessions } from './sessions.ts';
import { KeyRing } from './tokens/key-ring.ts';
import { HttpServer } from './websocket/http-server.ts';

/** The world of a signaling server. */
export interface SignalingDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Pages for browsers, beside the client protocol. */
  readonly pages?: Pages;
  /** Absent: plain HTTP. */
  readonly tls?: TlsIdentity;
}

export interface Signaling {
  /** It listens: where, as `http://host:port` or `https://…`. Fails with an `AppError` when it cannot. */
  readonly ready: Promise<string>;
  /** Says goodbye to every client, then stops. */
  close(): Promise<void>;
}

export function startSignaling(config: SignalingConfig, deps: SignalingDeps): Signaling {
  const { bus, clock, random, logger, metrics } = deps;
  const keys = new KeyRing(config.apiKeys, clock);
  const sockets = (): number => http.sockets;
  const sessions = openSessions(config, { bus, clock, random, logger, metrics, tokens: keys, sockets });
  const http = new HttpServer({
    doorkeeper: sessions.directory,
    keys,
    clock,
    logger,
    counters: sessions.counters,
    queuedBytesPerClient: config.limits.queuedBytesPerClient,
    pages: deps.pages,
    tls: deps.tls,
  });
  return {
    ready: http.listen(config.listen.address, config.listen.port),
    close: async () => {
      sessions.leave();
      await http.close();
      sessions.close();
    },
  };
}
