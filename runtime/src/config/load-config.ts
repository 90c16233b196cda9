import { isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { errorMessage } from '../errors.ts';
import { type ConfigResult, checkConfig, type Locate } from './check-config.ts';
import type { ConfigPath } from './schema-node.ts';

/**
 * Reads a configuration from YAML (1.2). Unknown keys and bad values are problems that name the line, the key and what
 * would be right. An empty text is an empty configuration.
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  yamlText: string,
  fileName: string,
): ConfigResult<z.output<S>> {
  const lineCounter = new LineCounter();
  const document = parseDocument(yamlText, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${fileName}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  if (document.errors.length > 0) {
    return {
      ok: false,
      problems: document.errors.map((error) => ({ path: '', where: at(error.pos[0]), message: error.message })),
    };
  }
  let plain: unknown;
  try {
    plain = document.contents === null ? {} : document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { ok: false, problems: [{ path: '', where: at(0), message: errorMessage(error) }] };
  }
  const locate: Locate = (path, what) => at(offsetOf(document.contents, path, what));
  return checkConfig(schema, plain, locate);
}

/** Where a path begins in the text; for a missing one, where the nearest group that holds it begins. */
function offsetOf(contents: unknown, path: ConfigPath, what: 'key' | 'value'): number {
  let node = contents;
  let key: unknown;
  for (const step of path) {
    const next = stepInto(node, step);
    if (next === undefined) return start(key) ?? start(node) ?? 0;
    ({ key, value: node } = next);
  }
  return (what === 'key' ? start(key) : undefined) ?? start(node) ?? start(key) ?? 0;
}

function stepInto(node: unknown, step: string | number): { key: unknown; value: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isPlain(key, String(step)));
    return pair === undefined ? undefined : { key: pair.key, value: pair.value };
  }
  const items = isNode(node) && 'items' in node ? node.items : undefined;
  const item: unknown = typeof step === 'number' && Array.isArray(items) ? items[step] : undefined;
  return item === undefined || isPair(item) ? undefined : { key: item, value: item };
}

const isPlain = (key: unknown, text: string): boolean => isScalar(key) && String(key.value) === text;

const start = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);
