import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { allowedText, type ConfigPath, nodeAt, pathText, type SchemaNode, schemaNode } from './schema-node.ts';

/** One thing that is wrong with a configuration, in words for the person who wrote it. */
export interface ConfigProblem {
  /** Where in the configuration: `media.port`; empty for the whole. */
  readonly path: string;
  /** `sluice.yaml:3:5`, `--port`: where that stands. */
  readonly where: string;
  readonly message: string;
}

export type ConfigResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

/** Tells where a path stands in the source; `at` is `key` when the key itself is what is wrong. */
export type Locate = (path: ConfigPath, at: 'key' | 'value') => string;

/** Checks a value that is already parsed. `locate` names places for people; a string stands for everywhere. */
export function checkConfig<S extends z.ZodType>(
  schema: S,
  input: unknown,
  locate: Locate | string,
): ConfigResult<z.output<S>> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { ok: true, value: parsed.data };
  const root = schemaNode(schema);
  const place: Locate = typeof locate === 'string' ? () => locate : locate;
  return { ok: false, problems: parsed.error.issues.flatMap((issue) => problemsOf(issue, { root, input, place })) };
}

/** One line per problem, `file:line:column: what is wrong`. */
export const problemLines = (problems: readonly ConfigProblem[]): string[] =>
  problems.map(({ where, message }) => `${where}: ${message}`);

interface Context {
  readonly root: SchemaNode;
  readonly input: unknown;
  readonly place: Locate;
}

function problemsOf(issue: z.core.$ZodIssue, context: Context): ConfigProblem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], context));
  const message = badValue(issue, path, context);
  return [{ path: pathText(path), where: context.place(path, 'value'), message }];
}

function unknownKey(path: ConfigPath, { root, place }: Context): ConfigProblem {
  const parent = nodeAt(root, path.slice(0, -1));
  const siblings = Object.keys(parent?.properties ?? {});
  const near = nearestName(String(path.at(-1)), siblings);
  const prefix = pathText(path.slice(0, -1));
  const full = (name: string): string => (prefix === '' ? name : `${prefix}.${name}`);
  const elsewhere = near === undefined ? samePlaceElsewhere(String(path.at(-1)), root) : undefined;
  const hint =
    near !== undefined
      ? `; the nearest valid key is "${full(near)}"`
      : elsewhere !== undefined
        ? `; there is "${elsewhere}"`
        : siblings.length > 0
          ? `; valid keys here are ${siblings.join(', ')}`
          : '';
  return {
    path: pathText(path),
    where: place(path, 'key'),
    message: `"${pathText(path)}" is not a key of this configuration${hint}`,
  };
}

/** A key of exactly this name somewhere else in the schema: the person put it into the wrong group. */
function samePlaceElsewhere(name: string, node: SchemaNode, prefix = ''): string | undefined {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (key.toLowerCase() === name.toLowerCase()) return path;
    const deeper = samePlaceElsewhere(name, child, path);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

function badValue(issue: z.core.$ZodIssue, path: ConfigPath, { root, input }: Context): string {
  const name = path.length === 0 ? 'the configuration' : `"${pathText(path)}"`;
  const node = nodeAt(root, path);
  const value = path.reduce<unknown>((at, step) => (at as Record<string | number, unknown> | undefined)?.[step], input);
  if (issue.code === 'custom' || issue.code === 'invalid_format') return `${name} ${issue.message}`;
  if (value === undefined) return `${name} is missing; it must be ${node === undefined ? 'set' : allowedText(node)}`;
  if (node === undefined) return `${name}: ${issue.message}`;
  const is = node.secret === true ? 'something else' : valueText(value);
  return `${name} is ${is}; it must be ${allowedText(node)}`;
}

/** What kind of value it is, and the value where it is short. */
function valueText(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  if (typeof value === 'string')
    return value.length > 40 ? `a text of ${value.length} characters` : `the text "${value}"`;
  return typeof value === 'boolean' ? String(value) : `the ${typeof value} ${String(value)}`;
}
