import type { Bus } from '@sluice/bus';
import type { WriterId } from '@sluice/contracts';
import type { Clock, Logger, RandomBytes } from '@sluice/runtime';

/** What every part of a controller needs from the world. */
export interface ControllerPorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly logger: Logger;
  /** Names this run of this process on the bus. */
  readonly writer: WriterId;
}
