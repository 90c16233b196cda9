import type { Bus } from '@sluice/bus';
import { makeWriterId } from '@sluice/contracts';
import type { Clock, Logger, Metrics, RandomBytes } from '@sluice/runtime';
import type { SignalingConfig } from './config.ts';
import { BusDocuments } from './documents.ts';
import { type SignalingGauges, signalingMetrics } from './metrics.ts';
import type { Pages, TlsIdentity } from './ports.ts';
import { SessionDirectory } from './session/session-directory.ts';
import type { SessionLimits, SessionTimes } from './session/session-terms.ts';
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

/** The client's token is renewed this often; it is good for twice as long. */
const REFRESH_TOKEN_US = 300_000_000;
/** Messages without which a client can neither go on nor end: pings every 5 s, offers a few a second at most. */
const VITAL_MESSAGES = { perSecond: 20, burst: 100 };

export function startSignaling(config: SignalingConfig, deps: SignalingDeps): Signaling {
  const { bus, clock, random, logger, metrics } = deps;
  const writer = makeWriterId(random);
  const keys = new KeyRing(config.apiKeys, clock);
  const documents = new BusDocuments({ bus, clock, site: config.site, writer });
  const gauges = (): SignalingGauges => ({
    sessions: directory.size,
    rooms: directory.rooms,
    sockets: http.sockets,
    ...documents.size,
  });
  const { counters, stop: stopMetrics } = signalingMetrics(metrics, gauges);
  const directory = new SessionDirectory({
    ports: { clock, random, logger, documents, tokens: keys, counters },
    bus,
    site: config.site,
    place: { site: config.site, writer },
    maxSessions: config.limits.sessions,
    limits: sessionLimits(config),
    times: sessionTimes(config),
    negotiation: { random, maxSections: config.limits.sectionsPerConnection, preferredDtlsRole: 'server' },
  });
  const http = new HttpServer({
    doorkeeper: directory,
    keys,
    clock,
    logger,
    counters,
    queuedBytesPerClient: config.limits.queuedBytesPerClient,
    pages: deps.pages,
    tls: deps.tls,
  });
  return {
    ready: http.listen(config.listen.address, config.listen.port),
    close: async () => {
      directory.close();
      await http.close();
      documents.close();
      stopMetrics();
    },
  };
}

function sessionLimits({ limits }: SignalingConfig): SessionLimits {
  const { metadataBytes, attributesBytes, tracksPerParticipant, wishesPerParticipant } = limits;
  const messages = { perSecond: limits.messagesPerSecond, burst: limits.messageBurst };
  return {
    metadataBytes,
    attributesBytes,
    tracksPerParticipant,
    wishesPerParticipant,
    messages,
    vitalMessages: VITAL_MESSAGES,
  };
}

function sessionTimes({ times }: SignalingConfig): SessionTimes {
  return {
    joinUs: times.joinS * 1_000_000,
    setupUs: times.setupS * 1_000_000,
    awayUs: times.awayS * 1_000_000,
    transportLostUs: times.transportLostS * 1_000_000,
    refreshTokenUs: REFRESH_TOKEN_US,
  };
}
