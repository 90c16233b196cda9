import { redactedConfig, systemRandom } from '@sluice/runtime';
import { makeToken } from '@sluice/signaling';
import { withClusterSecret } from '../cluster/flags.ts';
import { type ApiKeys, apiKeysOf, keyNamed } from '../configuration/keys.ts';
import { type ConfigurationFlags, readConfiguration, withEnvironment, withFlags } from '../configuration/read.ts';
import { SluiceConfig } from '../configuration/schema.ts';
import type { Output } from '../output.ts';
import { DemoPages } from './demo-pages.ts';
import { greeting, guestLink } from './greeting.ts';
import { startProcesses } from './processes.ts';
import { signalled } from './signals.ts';
import { readTls } from './tls.ts';
import { makeWorld } from './world.ts';

/** The flags of `sluice up`, as the command line gives them. */
export interface UpFlags extends ConfigurationFlags {
  readonly config?: string;
}

const DEMO_FOLDER = new URL('../../../demo/dist', import.meta.url).pathname;
/** A guest of the demo page stays a working day. */
const DEMO_TOKEN_S = 12 * 3_600;
/** One who closes the page and opens it again is someone else: two windows must not throw each other out. */
const IDENTITY_SUFFIX_BYTES = 4;

/** Starts everything in this process and stays until it is told to end. */
export async function up(flags: UpFlags, output: Output): Promise<void> {
  const config = withClusterSecret(withFlags(withEnvironment(readConfiguration(flags.config), process.env), flags));
  const keys = apiKeysOf(config);
  const tls = config.tls === undefined ? undefined : readTls(config.tls);
  const world = makeWorld(config);
  world.logger.info('configuration', { configuration: redactedConfig(SluiceConfig, { ...config, apiKeys: keys.all }) });

  const demo = demoPages(config, keys, world.clock.unixMs);
  const ending = signalled();
  await using processes = startProcesses({ ...config, apiKeys: keys.all }, world, {
    ...(demo.available ? { pages: (request, response) => demo.handle(request, response) } : {}),
    ...(tls === undefined ? {} : { tls }),
  });
  const url = await Promise.race([processes.ready, ending]);
  if (url === undefined) return;
  output.say(
    greeting({
      url,
      config,
      keys,
      demo: demo.available,
      link: await guestLink({ url, keys, token: guestToken(keys, world.clock.unixMs) }),
    }),
  );
  await Promise.race([ending, processes.broken]);
}

function demoPages(config: SluiceConfig, keys: ApiKeys, unixMs: () => number): DemoPages {
  return new DemoPages({
    folder: config.demo.page ? DEMO_FOLDER : undefined,
    ...(keys.development ? { token: guestToken(keys, unixMs) } : {}),
  });
}

/** A token for a guest: may join this one room, under an identity that nobody else has. */
function guestToken(keys: ApiKeys, unixMs: () => number): (room: string, name: string) => Promise<string> {
  const key = keyNamed(keys, undefined);
  return async (room, name) => {
    const suffix = Buffer.from(systemRandom(IDENTITY_SUFFIX_BYTES)).toString('hex');
    return await makeToken({
      apiKey: key.name,
      secret: key.secret,
      identity: `${name
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
        .slice(0, 60)}-${suffix}`,
      name,
      video: { roomJoin: true, room, canUpdateOwnMetadata: true },
      nowMs: unixMs(),
      lifetimeS: DEMO_TOKEN_S,
    });
  };
}
