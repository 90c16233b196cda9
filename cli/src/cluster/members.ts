import { startController } from '@sluice/controller';
import { startMediaNode } from '@sluice/media-node';
import { type Pages, startSignaling } from '@sluice/signaling';
import { apiKeysOf } from '../configuration/keys.ts';
import type { SluiceConfig } from '../configuration/schema.ts';
import type { Inspected } from '../up/debug-pages.ts';
import { readTls } from '../up/tls.ts';
import type { BusConnection, World } from '../up/world.ts';
import type { MemberKind } from './flags.ts';

/** One process of a cluster, as far as its start and its end go. */
export interface Member {
  /** It is up: what someone who started it wants to know. Rejects with an `AppError` when it cannot. */
  readonly ready: Promise<string>;
  /** Lets what it has come to an end and takes nothing new. */
  drain(): Promise<void>;
  close(): Promise<void>;
  node(): Inspected | undefined;
}

export interface MemberDeps {
  readonly config: SluiceConfig;
  readonly world: World;
  readonly connection: BusConnection;
  /** For those that have HTTP of their own. */
  readonly pages: Pages;
}

/** How often a node that drains looks whether it is empty. */
const DRAIN_STEP_US = 100_000;

export const startMember: Readonly<Record<MemberKind, (deps: MemberDeps) => Member>> = {
  controller: (deps) => {
    const controller = startController(deps.config.controller, depsOf('controller', deps));
    return {
      ready: controller.ready.then(() => 'It shares the rooms with the other controllers.'),
      drain: async () => undefined,
      close: () => controller.close(),
      node: () => undefined,
    };
  },

  signaling: (deps) => {
    const { config, pages } = deps;
    const keys = apiKeysOf(config);
    const tls = config.tls === undefined ? {} : { tls: readTls(config.tls) };
    const signaling = startSignaling(
      { ...config.signaling, site: config.site, apiKeys: keys.all },
      { ...depsOf('signaling', deps), ...tls, pages },
    );
    return {
      ready: signaling.ready.then((url) => `Clients of site ${config.site} connect to ${url.replace(/^http/, 'ws')}.`),
      drain: async () => undefined,
      // Clients are told to come back at once: another server is there for them.
      close: () => signaling.close(),
      node: () => undefined,
    };
  },

  media: (deps) => {
    const { config, world } = deps;
    const node = startMediaNode({ ...config.media, site: config.site }, depsOf('media-node', deps));
    const { udpPort } = config.media;
    return {
      ready: node.ready.then(
        () => `Media of site ${config.site}: UDP port ${udpPort === 0 ? 'chosen by the system' : udpPort}.`,
      ),
      drain: async () => {
        node.drain();
        const endUs = world.clock.nowUs() + config.shutdown.drainS * 1_000_000;
        // What was closed, or never came, keeps nobody waiting.
        const busy = (): boolean =>
          node
            .inspection()
            ?.sessions()
            .some(({ state }) => state === 'landed' || state === 'connected') === true;
        while (busy() && world.clock.nowUs() < endUs) await pause(world, DRAIN_STEP_US);
      },
      close: () => node.close(),
      node: () => node.inspection(),
    };
  },
};

function depsOf(part: string, { world, connection }: MemberDeps) {
  const { clock, random, metrics, sealer, logger } = world;
  return { bus: connection.bus, clock, random, metrics, sealer, logger: logger.with({ part }) };
}

const pause = ({ clock }: World, us: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimer(us, () => resolve()));
