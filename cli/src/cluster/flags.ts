import { isIPv6 } from 'node:net';
import { systemRandom } from '@sluice/runtime';
import { isLoopback } from '../configuration/keys.ts';
import { overlaid, readConfiguration, withEnvironment } from '../configuration/read.ts';
import type { SluiceConfig } from '../configuration/schema.ts';
import { badArgument, noBus, noClusterSecret } from '../errors.ts';

export const memberKinds = ['controller', 'signaling', 'media'] as const;
export type MemberKind = (typeof memberKinds)[number];

/** The flags of `sluice controller`, `sluice signaling` and `sluice media`, as the command line gives them. */
export interface MemberFlags {
  readonly config?: string;
  readonly bus?: string;
  readonly metricsPort?: number;
  readonly site?: string;
  readonly listen?: string;
  readonly public?: string;
  readonly udpPort?: number;
}

/** Where each answers operators unless told otherwise: next to the ports of the clients. */
const METRICS_PORTS: Readonly<Record<MemberKind, number>> = { signaling: 7890, controller: 7891, media: 7892 };

/** For clouds on one machine alone, as the development key is. */
const DEVELOPMENT_SECRET = 'sluice development secret';
const SECRET_BYTES = 32;

/** What one process of a cluster is told: its file, its environment and its flags, the later over the earlier. */
export function memberConfiguration(
  kind: MemberKind,
  flags: MemberFlags,
  environment: NodeJS.ProcessEnv,
): SluiceConfig {
  const config = withClusterSecret(clusterConfiguration(kind, flags, environment));
  return {
    ...config,
    metrics: { ...config.metrics, port: config.metrics.port ?? METRICS_PORTS[kind] },
  };
}

/** The same for whatever meets a cluster's processes over its bus; `command` is what the person typed. */
export function clusterConfiguration(
  command: string,
  flags: MemberFlags,
  environment: NodeJS.ProcessEnv,
): SluiceConfig {
  const before = withEnvironment(readConfiguration(flags.config), environment);
  const { config: _, ...said } = flags;
  const config = overlaid(before, said, {
    site: flags.site,
    bus: { servers: flags.bus?.split(',') },
    metrics: { port: flags.metricsPort },
    signaling: { listen: flags.listen === undefined ? undefined : endpoint('--listen', flags.listen) },
    media: {
      udpPort: flags.udpPort,
      publicAddresses: flags.public?.split(',').map((text) => endpoint('--public', text)),
    },
  });
  if (config.bus.servers.length === 0) throw noBus(command);
  return config;
}

/** The secret that processes on one bus must have in common; on loopback alone there is one for development. */
export function withClusterSecret(config: SluiceConfig): SluiceConfig {
  const { clusterSecret, bus } = config;
  if (clusterSecret !== undefined || bus.servers.length === 0) return config;
  if (bus.servers.every((server) => isLoopback(new URL(server).hostname))) {
    return { ...config, clusterSecret: DEVELOPMENT_SECRET };
  }
  throw noClusterSecret(Buffer.from(systemRandom(SECRET_BYTES)).toString('base64url'));
}

/** `203.0.113.7`, `203.0.113.7:7882`, `[2001:db8::1]:7882`, `2001:db8::1`. */
export function endpoint(flag: string, text: string): { address: string; port?: number } {
  if (isIPv6(text)) return { address: text };
  const found = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups;
  const address = found?.['six'] ?? found?.['four'];
  if (address === undefined) throw badArgument(`${flag} is "${text}"; it must be an address, with :port if you like.`);
  return { address, ...(found?.['port'] === undefined ? {} : { port: Number(found['port']) }) };
}
