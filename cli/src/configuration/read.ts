import { readFileSync } from 'node:fs';
import { checkConfig, loadConfig, problemLines } from '@sluice/runtime';
import { badConfiguration, unreadableConfiguration } from '../errors.ts';
import { SluiceConfig } from './schema.ts';

/** The configuration of a file; every default without one. */
export function readConfiguration(file: string | undefined): SluiceConfig {
  const result = loadConfig(SluiceConfig, file === undefined ? '' : read(file), file ?? 'defaults');
  if (!result.ok) throw badConfiguration(problemLines(result.problems));
  return result.value;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadableConfiguration(file, cause);
  }
}

/** What may be said by flags too; flags win. */
export interface ConfigurationFlags {
  readonly address?: string;
  readonly port?: number;
  readonly udpPort?: number;
}

export function withFlags(config: SluiceConfig, { address, port, udpPort }: ConfigurationFlags): SluiceConfig {
  const { signaling, media } = config;
  const listen = checked({ address, port }, (value) => ({ signaling: { listen: value } })).signaling.listen;
  const udp = checked({ udpPort }, (value) => ({ media: value })).media;
  return {
    ...config,
    signaling: {
      ...signaling,
      listen: {
        address: address === undefined ? signaling.listen.address : listen.address,
        port: port === undefined ? signaling.listen.port : listen.port,
      },
    },
    media: { ...media, udpPort: udpPort === undefined ? media.udpPort : udp.udpPort },
  };
}

/** The values of flags pass the same schema as the file's. */
function checked(flags: Readonly<Record<string, unknown>>, place: (value: object) => object): SluiceConfig {
  const said = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const names = Object.keys(said).map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  const result = checkConfig(SluiceConfig, place(said), names.join(' '));
  if (!result.ok) throw badConfiguration(problemLines(result.problems));
  return result.value;
}
