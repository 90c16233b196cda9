import { globSync } from 'node:fs';
import { root } from './command.ts';
import { nodeTestSuite } from './node-tests.ts';
import type { Suite } from './suite.ts';

/** One file after the other: each wants the machine's cores for its browsers. */
const FILE_TIMEOUT_MS = 8 * 60_000;

/** Whole Sluices with real clients, by file: `calls`, `data`. All of them when none is named. */
export function interopSuites({
  only = [],
  without = [],
}: {
  only?: readonly string[];
  without?: readonly string[];
} = {}): Suite[] {
  const all = globSync('interop/test/*.test.ts', { cwd: root }).toSorted();
  const isIn = (names: readonly string[], file: string): boolean => names.some((name) => file.includes(`/${name}`));
  const chosen = all.filter((file) => (only.length === 0 || isIn(only, file)) && !isIn(without, file));
  return chosen.map((file) =>
    nodeTestSuite(`interop: ${file.slice('interop/test/'.length, -'.test.ts'.length)}`, {
      files: [file],
      isolation: 'process',
      concurrency: 1,
      timeoutMs: FILE_TIMEOUT_MS,
    }),
  );
}
