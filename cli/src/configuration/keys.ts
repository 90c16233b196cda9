import { isIP } from 'node:net';
import { type RandomBytes, systemRandom } from '@sluice/runtime';
import { badArgument, developmentKeyInPublic } from '../errors.ts';
import type { SluiceConfig } from './schema.ts';

/** The one that every LiveKit user's fingers know. */
export const developmentKey = { name: 'devkey', secret: 'secret' } as const;

export interface ApiKeys {
  readonly all: Readonly<Record<string, string>>;
  readonly development: boolean;
}

/** The keys in use: those of the configuration, else the development key, which only this machine may use. */
export function apiKeysOf(config: SluiceConfig): ApiKeys {
  const { name, secret } = developmentKey;
  const keys = Object.keys(config.apiKeys).length > 0 ? config.apiKeys : { [name]: secret };
  const development = keys[name] === secret;
  const { address } = config.signaling.listen;
  if (development && !isLoopback(address)) throw developmentKeyInPublic(address, sampleKeys(systemRandom));
  return { all: keys, development };
}

/** The key to sign with: the one that is named, else the only one, else the first. */
export function keyNamed({ all }: ApiKeys, name: string | undefined): { name: string; secret: string } {
  const chosen = name ?? Object.keys(all)[0] ?? '';
  const secret = Object.hasOwn(all, chosen) ? all[chosen] : undefined;
  if (secret === undefined)
    throw badArgument(`There is no API key "${chosen}". There are: ${Object.keys(all).join(', ')}.`);
  return { name: chosen, secret };
}

/** Reached from this machine alone (RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopback(address: string): boolean {
  if (address === 'localhost' || address === '::1') return true;
  return isIP(address) === 4 && address.startsWith('127.');
}

/** Lines for sluice.yaml with a new key. */
export function sampleKeys(random: RandomBytes): string {
  const text = (bytes: number): string => Buffer.from(random(bytes)).toString('base64url');
  return `apiKeys:\n  API${text(9).replace(/[-_]/g, 'x')}: ${text(32)}`;
}
