import { InProcessHub } from '@sluice/bus';
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
  readonly hub: InProcessHub;
}

const SECRET_BYTES = 32;

export function makeWorld(config: SluiceConfig): World {
  const logger = createLogger(config.log);
  const metrics = createMetrics();
  exposeProcess(metrics);
  const secret = config.clusterSecret ?? Buffer.from(systemRandom(SECRET_BYTES)).toString('base64url');
  return {
    clock: systemClock,
    random: systemRandom,
    logger,
    metrics,
    sealer: createSealer(secret, systemRandom),
    hub: new InProcessHub({ clock: systemClock, random: systemRandom, logger: logger.with({ part: 'bus' }) }),
  };
}
