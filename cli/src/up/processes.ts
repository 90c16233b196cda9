import type { Bus } from '@sluice/bus';
import { startController } from '@sluice/controller';
import { startMediaNode } from '@sluice/media-node';
import type { Logger } from '@sluice/runtime';
import { type Pages, startSignaling, type TlsIdentity } from '@sluice/signaling';
import type { SluiceConfig } from '../configuration/schema.ts';
import { startMetricsServer } from './metrics-server.ts';
import type { World } from './world.ts';

export interface FrontDoor {
  readonly pages?: Pages;
  readonly tls?: TlsIdentity;
}

export interface Processes extends AsyncDisposable {
  /** All of them are: where HTTP listens. Rejects with an `AppError` when one cannot. */
  readonly ready: Promise<string>;
  /** Rejects when something that was up is no longer. */
  readonly broken: Promise<never>;
}

/** Whoever does not end by then is left behind with the process. */
const CLOSE_WITHIN_US = 5_000_000;

/** One of each process, over one bus, each with a connection of its own. */
export function startProcesses(config: SluiceConfig, world: World, door: FrontDoor): Processes {
  const { clock, random, metrics, sealer, hub } = world;
  const { site } = config;
  const buses: Bus[] = [];
  const depsOf = (part: string) => {
    const bus = hub.connect();
    buses.push(bus);
    return { bus, clock, random, metrics, sealer, logger: world.logger.with({ part }) };
  };
  const controller = startController(config.controller, depsOf('controller'));
  const mediaNode = startMediaNode({ ...config.media, site }, depsOf('media-node'));
  const signaling = startSignaling(
    { ...config.signaling, site, apiKeys: config.apiKeys },
    { ...depsOf('signaling'), ...door },
  );
  const numbers = startMetricsServer(config.metrics, world, () => mediaNode.inspection());
  const starting = Promise.all([signaling.ready, mediaNode.ready, controller.ready, numbers.ready]);
  const close = async (): Promise<void> => {
    // Clients hear goodbye first; the bus ends when nobody has anything to say any more.
    await signaling.close();
    await mediaNode.close();
    await controller.close();
    await numbers.close();
    for (const bus of buses) await bus.close();
  };
  return {
    ready: starting.then(([url]) => url),
    broken: brokenOf(world.logger),
    [Symbol.asyncDispose]: async () => {
      const late = Promise.withResolvers<void>();
      const timer = clock.setTimer(CLOSE_WITHIN_US, () => {
        world.logger.warn('close.late', { afterMs: CLOSE_WITHIN_US / 1_000 });
        late.resolve();
      });
      await Promise.race([close(), late.promise]);
      timer.cancel();
    },
  };
}

/** A defect that nobody caught leaves the process in a state that nobody knows: it ends, and says why. */
function brokenOf(logger: Logger): Promise<never> {
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  process.once('uncaughtException', (error) => {
    logger.error('process.broken', { problem: error });
    broken.reject(error);
  });
  return broken.promise;
}
