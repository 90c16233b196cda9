import { z } from 'zod';

/**
 * One place of a configuration schema, as JSON Schema 2020-12 shows it: what zod's own schema means, without its
 * classes. Only what configurations use is here.
 */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly propertyNames?: SchemaNode;
  readonly items?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  /** From `.meta({ unit })`. */
  readonly unit?: string;
  /** From `.meta({ secret: true })`: never shown. */
  readonly secret?: boolean;
}

export const schemaNode = (schema: z.ZodType): SchemaNode =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as unknown as SchemaNode;

export type ConfigPath = readonly (string | number)[];

/** `media.addresses[0].port` */
export const pathText = (path: ConfigPath): string =>
  path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );

/** The node under one step of a path; undefined where the schema knows no such place. */
export function childNode(node: SchemaNode, step: string | number): SchemaNode | undefined {
  if (node.anyOf !== undefined) {
    return node.anyOf.map((choice) => childNode(choice, step)).find((child) => child !== undefined);
  }
  if (typeof step === 'number') return typeof node.items === 'object' ? node.items : undefined;
  const named = node.properties?.[step];
  if (named !== undefined) return named;
  return typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
}

export const nodeAt = (root: SchemaNode, path: ConfigPath): SchemaNode | undefined =>
  path.reduce<SchemaNode | undefined>((node, step) => node && childNode(node, step), root);

/** What may stand at a place, in words: `a whole number from 1 to 65535`. */
export function allowedText(node: SchemaNode): string {
  if (node.anyOf !== undefined) return node.anyOf.map(allowedText).join(', or ');
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.map(String).join(', ')}`;
  switch (node.type) {
    case 'integer':
      return `a whole number${rangeText(node)}`;
    case 'number':
      return `a number${rangeText(node)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `text${node.format === undefined ? '' : ` (${node.format})`}${lengthText(node, 'character')}`;
    case 'array':
      return `a list${lengthText({ minLength: node.minItems, maxLength: node.maxItems }, 'entry')}`;
    case 'object':
      return 'a group of keys';
    case 'null':
      return 'nothing';
    default:
      return 'any value';
  }
}

/** ` from 1 to 65535`; empty without limits. JSON Schema's safe-integer limits of zod's `int()` are no limits of ours. */
export function rangeText(node: SchemaNode): string {
  const least = node.minimum === Number.MIN_SAFE_INTEGER ? undefined : node.minimum;
  const most = node.maximum === Number.MAX_SAFE_INTEGER ? undefined : node.maximum;
  const words = [
    least === undefined ? '' : most === undefined ? ` of at least ${least}` : ` from ${least}`,
    most === undefined ? '' : least === undefined ? ` of at most ${most}` : ` to ${most}`,
    node.exclusiveMinimum === undefined ? '' : ` above ${node.exclusiveMinimum}`,
    node.exclusiveMaximum === undefined ? '' : ` below ${node.exclusiveMaximum}`,
  ];
  return words.join('');
}

function lengthText(
  { minLength = 0, maxLength }: { minLength?: number | undefined; maxLength?: number | undefined },
  noun: 'character' | 'entry',
): string {
  const count = (n: number): string => `${n} ${n === 1 ? noun : { character: 'characters', entry: 'entries' }[noun]}`;
  if (maxLength === undefined) return minLength === 0 ? '' : ` of at least ${count(minLength)}`;
  return minLength === 0 ? ` of at most ${count(maxLength)}` : ` of ${minLength} to ${count(maxLength)}`;
}
