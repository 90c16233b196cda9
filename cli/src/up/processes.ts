import { startController } from '@sluice/controller';
import { startMediaNode } from '@sluice/media-node';
import { type Pages, startSignaling, type TlsIdentity } from '@sluice/signaling';
import type { SluiceConfig } from '../configuration/schema.ts';
import { brokenOf, closeInTime } from './ending.ts';
import { Readiness, withHealth } from './health.ts';
import { startMetricsServer } from './metrics-server.ts';
import type { BusConnection, World } from './world.ts';

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

/** One of each process, over one bus, each with a connection of its own. */
export function startProcesses(config: SluiceConfig, world: World, door: FrontDoor): Processes {
  const { clock, random, metrics, sealer } = world;
  const { site } = config;
  const connections: BusConnection[] = [];
  const readiness = new Readiness(() => connections.map(({ problem }) => problem()).find((what) => what !== undefined));
  const depsOf = (part: string) => {
    const connection = world.connect(part);
    connections.push(connection);
    return { bus: connection.bus, clock, random, metrics, sealer, logger: world.logger.with({ part }) };
  };
  const controller = startController(config.controller, depsOf('controller'));
  const mediaNode = startMediaNode({ ...config.media, site }, depsOf('media-node'));
  const signaling = startSignaling(
    { ...config.signaling, site, apiKeys: config.apiKeys },
    { ...depsOf('signaling'), ...door, pages: withHealth(readiness, door.pages) },
  );
  const numbers = startMetricsServer(config.metrics, world, { readiness, node: () => mediaNode.inspection() });
  const starting = Promise.all([signaling.ready, mediaNode.ready, controller.ready, numbers.ready]);
  starting.then(
    () => readiness.started(),
    () => undefined,
  );
  const close = async (): Promise<void> => {
    readiness.ending();
    // Clients hear goodbye first; the bus ends when nobody has anything to say any more.
    await signaling.close();
    await mediaNode.close();
    await controller.close();
    await numbers.close();
    for (const { bus } of connections) await bus.close();
  };
  return {
    ready: starting.then(([url]) => url),
    broken: brokenOf(world.logger),
    [Symbol.asyncDispose]: () => closeInTime(world, close),
  };
}
