import { type Bus, InProcessHub, NatsBus } from '@sluice/bus';
import {
  type Clock,
  createLogger,
  createMetrics,
  createSealer,
  type Logger,
  type Metrics,
  type RandomBytes,
  type Sealer,
  systemClock,
  systemRandom,
} from '@sluice/runtime';
import type { SluiceConfig } from '../configuration/schema.ts';
import { exposeProcess } from './process-metrics.ts';

/** What all processes of this one share. */
export interface World {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly sealer: Sealer;
  /** A connection to the bus for one process: over NATS where servers are named, else within this one. */
  connect(name: string): BusConnection;
}

export interface BusConnection {
  readonly bus: Bus;
  /** What keeps the process from working over it, for people; undefined: nothing. */
  problem(): string | undefined;
}

const SECRET_BYTES = 32;

export function makeWorld(config: SluiceConfig): World {
  const logger = createLogger(config.log);
  const metrics = createMetrics();
  exposeProcess(metrics);
  const secret = config.clusterSecret ?? Buffer.from(systemRandom(SECRET_BYTES)).toString('base64url');
  const world = { clock: systemClock, random: systemRandom, logger, metrics };
  return { ...world, sealer: createSealer(secret, systemRandom), connect: connector(config.bus, world) };
}

function connector(
  config: SluiceConfig['bus'],
  { clock, random, logger, metrics }: Pick<World, 'clock' | 'random' | 'logger' | 'metrics'>,
): World['connect'] {
  const log = logger.with({ part: 'bus' });
  if (config.servers.length === 0) {
    const hub = new InProcessHub({ clock, random, logger: log });
    return () => ({ bus: hub.connect(), problem: () => undefined });
  }
  return (name) => {
    const bus = new NatsBus({ clock, random, config, name: `sluice ${name}`, logger: log, metrics });
    return { bus, problem: () => bus.problem() };
  };
}
