import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

export interface NativeRules {
  readonly arrows: Readonly<Record<string, readonly string[]>>;
  /** Files directly in core/ that modules may include; the others there join modules. */
  readonly nouns: RegExp;
}

/** C++ includes that are not in the table, and what the core must not touch, one sentence each. */
export function foreignIncludes(folder: string, rules: NativeRules): readonly string[] {
  const files = globSync('{core,peer,io,swarm,binding,test,fuzz}/**/*.{h,cc}', { cwd: folder }).toSorted();
  const known = new Set(files);
  return files.flatMap((file) => {
    const lines = readFileSync(`${folder}/${file}`, 'utf8').split('\n');
    return lines.flatMap((line, index) => {
      const wrong = judgeInclude(file, line, known, rules) ?? judgeCore(file, line);
      return wrong === undefined ? [] : [`packet-path/${file}:${index + 1} ${wrong}`];
    });
  });
}

/** What is wrong with an include line of `file`; undefined: nothing, or not an include of ours. */
export function judgeInclude(
  file: string,
  line: string,
  known: ReadonlySet<string>,
  { arrows, nouns }: NativeRules,
): string | undefined {
  const name = /^\s*#\s*include\s+"([^"]+)"/.exec(line)?.[1];
  if (name === undefined) return undefined;
  const relative = posix.join(posix.dirname(file), name);
  const target = known.has(relative) ? relative : posix.normalize(name);
  if (!known.has(target)) return undefined;
  const from = moduleOf(file, nouns);
  const to = moduleOf(target, nouns);
  if (from === to) return undefined;
  const allowed = arrows[from] ?? (from.startsWith('core/') ? arrows['core/*'] : undefined) ?? [];
  const fits = allowed.some((rule) => rule === '*' || rule === to || (rule === 'core/*' && to.startsWith('core/')));
  return fits ? undefined : `${from} must not include ${to} (${name})`;
}

function moduleOf(file: string, nouns: RegExp): string {
  const parts = posix.dirname(file).split('/');
  if (parts[0] !== 'core') return parts[0] ?? '';
  return parts.length === 1 && !nouns.test(file) ? 'shard' : parts.slice(0, 2).join('/');
}

/** Time, randomness, threads and the network come to the core by parameter or by port. */
const foreignToCore: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    pattern: /#\s*include\s+<(chrono|thread|mutex|condition_variable|random|iostream|fstream|filesystem)>/,
    what: 'no clock, thread, lock, randomness or file',
  },
  {
    pattern: /#\s*include\s+<(sys\/|netinet\/|arpa\/|net\/|linux\/|unistd|fcntl|poll|pthread|time\.h|ctime|signal)/,
    what: 'no system header',
  },
  { pattern: /#\s*include\s+[<"](node_api|napi|uv)\b/, what: 'no Node header' },
  {
    pattern: /\b(clock_gettime|gettimeofday|std::chrono|std::this_thread|arc4random|rand\(\)|time\((0|NULL|nullptr)\))/,
    what: 'no clock, no randomness of its own',
  },
  { pattern: /\b(std::(shared_)?mutex|std::lock_guard|std::unique_lock)\b/, what: 'no locks' },
  { pattern: /\bthrow\b(?!\s*\()/, what: 'no exceptions' },
  { pattern: /(^|[^\w.:])(malloc|calloc|realloc)\s*\(/, what: 'no manual allocation' },
];

/** What is wrong with a line of the core. */
export function judgeCore(file: string, line: string): string | undefined {
  if (!file.startsWith('core/')) return undefined;
  const code = line.replace(/\/\/.*$/, '').replace(/"(?:[^"\\]|\\.)*"/g, (text) => (/^\s*#/.test(line) ? text : '""'));
  if (/^\s*(\*|\/\*)/.test(code)) return undefined;
  const rule = foreignToCore.find(({ pattern }) => pattern.test(code));
  return rule === undefined ? undefined : `the core has ${rule.what}: ${line.trim()}`;
}
