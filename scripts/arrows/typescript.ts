import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { parseSync } from 'vite';

export interface ArrowRules {
  readonly arrows: Readonly<Record<string, readonly string[]>>;
  readonly internalDoors: Readonly<Record<string, readonly string[]>>;
}

/** Import arrows of a repository that are not in the table, one sentence each. */
export async function foreignImports(root: string, rules: ArrowRules): Promise<readonly string[]> {
  const packages = Object.keys(rules.arrows);
  const files = globSync(
    packages.map((name) => `${name}/**/*.{ts,tsx,mts,mjs}`),
    { cwd: root, exclude: (path) => /(^|\/)(node_modules|dist|build)(\/|$)/.test(path) },
  ).toSorted();
  const findings: string[] = [];
  for (const file of files) {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    for (const { specifier, line } of await importsOf(file, text)) {
      const wrong = judge(file, specifier, rules);
      if (wrong !== undefined) findings.push(`${file}:${line} ${wrong}`);
    }
  }
  return findings;
}

/** What is wrong with `file` importing `specifier`; undefined: nothing. */
export function judge(file: string, specifier: string, { arrows, internalDoors }: ArrowRules): string | undefined {
  const from = file.split('/')[0] ?? '';
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(file), specifier);
    if (target.startsWith(`${from}/`)) return undefined;
    return `reaches into another package by path (${specifier}): import it by its name`;
  }
  const [, to, door] = /^@sluice\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
  if (to === undefined) return undefined;
  if (to === from) return `imports its own package by name (${specifier}): use a path`;
  if (!(arrows[from] ?? []).includes(to)) return `${from} must not import ${to}`;
  if (door === undefined || isForTests(file) || (internalDoors[from] ?? []).includes(to)) return undefined;
  return `goes through a back door (${specifier}): ${to}'s index.ts is its door`;
}

/** A test, or what tests share: `test-*.ts` beside them. */
const isForTests = (file: string): boolean => file.endsWith('.test.ts') || posix.basename(file).startsWith('test-');

/** Every module that a source names: imports, exports from, type imports, `import()` and `import('…').Type`. */
export async function importsOf(file: string, text: string): Promise<{ specifier: string; line: number }[]> {
  const { module, errors } = parseSync(file, text);
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found = [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest ?? [])),
  ].map(({ value, start }) => ({ specifier: value, start }));
  // Covers `import('x')` as an expression and as a type; the parser lists only the former.
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)) {
    found.push({ specifier: match[1] ?? '', start: match.index });
  }
  return found.map(({ specifier, start }) => ({ specifier, line: text.slice(0, start).split('\n').length }));
}
