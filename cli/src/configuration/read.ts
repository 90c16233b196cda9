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
  return overlaid(config, { address, port, udpPort }, { signaling: { listen: { address, port } }, media: { udpPort } });
}

/** Secrets, which do not belong on a command line that every user of the machine can read. They win over the file. */
export function withEnvironment(config: SluiceConfig, environment: NodeJS.ProcessEnv): SluiceConfig {
  const { SLUICE_CLUSTER_SECRET: clusterSecret, SLUICE_BUS_PASSWORD: password, SLUICE_BUS_TOKEN: token } = environment;
  return [
    ['SLUICE_CLUSTER_SECRET', clusterSecret, { clusterSecret }] as const,
    ['SLUICE_BUS_PASSWORD', password, { bus: { password } }] as const,
    ['SLUICE_BUS_TOKEN', token, { bus: { token } }] as const,
  ].reduce((before, [name, value, over]) => (value === undefined ? before : overlay(before, name, over)), config);
}

type Given = { readonly [key: string]: unknown };

/** `config` with what flags said, under the names that the person used. */
export function overlaid(config: SluiceConfig, flags: Given, over: Given): SluiceConfig {
  const said = Object.entries(flags).filter(([, value]) => value !== undefined);
  const names = said.map(([name]) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`);
  return overlay(config, names.join(' '), over);
}

/** What is said elsewhere passes the same schema as the file; undefined: nothing is said. */
function overlay(config: SluiceConfig, where: string, over: Given): SluiceConfig {
  const given = withoutUndefined(over);
  const result = checkConfig(SluiceConfig, given, where);
  if (!result.ok) throw badConfiguration(problemLines(result.problems));
  return merged(config, result.value, given) as SluiceConfig;
}

function withoutUndefined(given: Given): Given {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, isGroup(value) ? withoutUndefined(value) : value]));
}

/** `base` with those keys of `parsed` that were given. */
function merged(base: unknown, parsed: unknown, given: unknown): unknown {
  if (!isGroup(given) || !isGroup(parsed)) return parsed;
  const under: Given = isGroup(base) ? base : {};
  const over = Object.keys(given).map((key) => [key, merged(under[key], parsed[key], given[key])] as const);
  return { ...under, ...Object.fromEntries(over) };
}

const isGroup = (value: unknown): value is Given =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
