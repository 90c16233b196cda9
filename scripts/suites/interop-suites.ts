import { globSync } from 'node:fs';
import { root } from './command.ts';
import { nodeTestSuite } from './node-tests.ts';
import type { Suite } from './suite.ts';

/** One file after the other: each wants the machine's cores for its browsers. */
const FILE_TIMEOUT_MS = 8 * 60_000;

/** Whole Sluices with real clients; `names` picks files: `calls`, `data`. */
export function interopSuites(names: readonly string[] = []): Suite[] {
  const all = globSync('interop/test/*.test.ts', { cwd: root }).toSorted();
  const chosen = all.filter((file) => names.length === 0 || names.some((name) => file.includes(`/${name}`)));
  return chosen.map((file) =>
    nodeTestSuite(`interop: ${file.slice('interop/test/'.length, -'.test.ts'.length)}`, {
      files: [file],
      isolation: 'process',
      concurrency: 1,
      timeoutMs: FILE_TIMEOUT_MS,
    }),
  );
}
