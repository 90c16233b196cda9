import type { Bus } from '@sluice/bus';
import { makeWriterId } from '@sluice/contracts';
import type { Clock, Logger, Metrics, RandomBytes } from '@sluice/runtime';
import type { SignalingConfig } from './config.ts';
import { BusDocuments } from './documents.ts';
import { type SignalingMetrics, signalingMetrics } from './metrics.ts';
import type { TokenSigner } from './ports.ts';
import { SessionDirectory } from './session/session-directory.ts';
import type { SessionLimits, SessionTimes } from './session/session-terms.ts';

/** The world of a signaling server's sessions. */
export interface SessionsDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly tokens: TokenSigner;
  /** Connections open now, for metrics. */
  readonly sockets: () => number;
}

/** All sessions of a signaling server, without a way in: HTTP is one, a simulation has another. */
export interface Sessions {
  readonly directory: SessionDirectory;
  readonly counters: SignalingMetrics['counters'];
  /** Says goodbye to every client. */
  leave(): void;
  /** Says nothing on the bus any more. */
  close(): void;
}

/** The client's token is renewed this often; it is good for twice as long. */
const REFRESH_TOKEN_US = 300_000_000;
/** Messages without which a client can neither go on nor end: pings every 5 s, offers a few a second at most. */
const VITAL_MESSAGES = { perSecond: 20, burst: 100 };

export function openSessions(config: SignalingConfig, deps: SessionsDeps): Sessions {
  const { bus, clock, random, logger, metrics, tokens, sockets } = deps;
  const writer = makeWriterId(random);
  const documents = new BusDocuments({ bus, clock, site: config.site, writer });
  const { counters, stop: stopMetrics } = signalingMetrics(metrics, () => ({
    sessions: directory.size,
    rooms: directory.rooms,
    sockets: sockets(),
    ...documents.size,
  }));
  const directory = new SessionDirectory({
    ports: { clock, random, logger, documents, tokens, counters },
    bus,
    site: config.site,
    place: { site: config.site, writer },
    maxSessions: config.limits.sessions,
    limits: sessionLimits(config),
    times: sessionTimes(config),
    negotiation: { random, maxSections: config.limits.sectionsPerConnection, preferredDtlsRole: 'server' },
  });
  return {
    directory,
    counters,
    leave: () => directory.close(),
    close: () => {
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
