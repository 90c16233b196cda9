import type { z } from 'zod';
import { redact } from '../redact.ts';
import { childNode, rangeText, type SchemaNode, schemaNode } from './schema-node.ts';

/** One key of a configuration, as the reference shows it. */
export interface ConfigKey {
  readonly key: string;
  readonly unit: string;
  /** JSON; empty when the key has no default, `required` when it must be set. */
  readonly defaultValue: string;
  readonly range: string;
  readonly description: string;
}

/** Every key of a schema, in the order it declares them. */
export function configKeys(schema: z.ZodType): ConfigKey[] {
  return keysOf(schemaNode(schema), '');
}

/** The reference of a configuration: a Markdown table with key, unit, default, range and a sentence. */
export function describeConfig(schema: z.ZodType): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const code = (text: string): string => (text === '' ? '' : `\`${cell(text)}\``);
  const rows = configKeys(schema).map(
    ({ key, unit, defaultValue, range, description }) =>
      `| ${code(key)} | ${cell(unit)} | ${code(defaultValue)} | ${cell(range)} | ${cell(description)} |`,
  );
  return ['| key | unit | default | range | what it is |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}

/** The configuration as a log may show it: values of keys marked `.meta({ secret: true })` are redacted. */
export function redactedConfig<S extends z.ZodType>(schema: S, config: z.output<S>): unknown {
  return redactNode(schemaNode(schema), config);
}

function redactNode(node: SchemaNode | undefined, value: unknown): unknown {
  if (node?.secret === true) return value === undefined ? value : redact(JSON.stringify(value));
  if (Array.isArray(value)) return value.map((item, i) => redactNode(node && childNode(node, i), item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redactNode(node && childNode(node, key), item)]),
  );
}

function keysOf(node: SchemaNode, prefix: string): ConfigKey[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    if (child.properties !== undefined) return keysOf(child, key);
    const items = typeof child.items === 'object' ? child.items : undefined;
    if (items?.properties !== undefined) return [keyOf(key, name, child), ...keysOf(items, `${key}[]`)];
    return [keyOf(key, name, child)];
  });
}

function keyOf(key: string, name: string, node: SchemaNode): ConfigKey {
  return {
    key,
    unit: node.unit ?? unitOf(name),
    defaultValue: node.default === undefined || node.secret === true ? '' : JSON.stringify(node.default),
    range: rangeOf(node),
    description: node.description ?? '',
  };
}

const units: readonly (readonly [suffix: RegExp, unit: string])[] = [
  [/Us$/, 'µs'],
  [/Ms$/, 'ms'],
  [/Bps$/, 'bit/s'],
  [/Bytes$/, 'bytes'],
  [/Px$/, 'px'],
  [/[a-z]S$/, 's'],
];

const unitOf = (name: string): string => units.find(([suffix]) => suffix.test(name))?.[1] ?? '';

function rangeOf(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map(String).join(', ');
  if (node.type === 'boolean') return 'true, false';
  const { minLength = node.minItems, maxLength = node.maxItems } = node;
  if (maxLength !== undefined)
    return `${minLength ?? 0} to ${maxLength} ${node.type === 'array' ? 'entries' : 'characters'}`;
  return rangeText(node)
    .trim()
    .replace(/^from /, '')
    .replace(/^of at least (\S+)$/, '$1 or more')
    .replace(/^of at most (\S+)$/, '$1 or less');
}
