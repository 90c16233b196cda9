import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { root, runCommand } from './command.ts';
import { type Counts, nothing, oneFailed, type Suite } from './suite.ts';

export interface NodeTestOptions {
  /** Globs within the repository. */
  readonly files: readonly string[];
  readonly without?: readonly string[];
  /** `none` runs all files in one process: 20 times faster where tests have no side effects. */
  readonly isolation: 'none' | 'process';
  readonly concurrency?: number;
  readonly timeoutMs: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** node:test files, reported as node does, counted by its own summary. */
export function nodeTestSuite(name: string, options: NodeTestOptions): Suite {
  return {
    name,
    run: async () => {
      const files = globSync([...options.files], {
        cwd: root,
        exclude: ['**/node_modules/**', ...(options.without ?? [])],
      });
      if (files.length === 0) return nothing;
      const folder = mkdtempSync(`${tmpdir()}/sluice-tests-`);
      try {
        return await run(options, files.toSorted(), `${folder}/counts.json`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}

async function run(options: NodeTestOptions, files: readonly string[], countsFile: string): Promise<Counts> {
  const { code } = await runCommand(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--test',
      `--test-isolation=${options.isolation}`,
      ...(options.concurrency === undefined ? [] : [`--test-concurrency=${options.concurrency}`]),
      `--test-timeout=${options.timeoutMs}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${root}scripts/suites/count-reporter.ts`,
      `--test-reporter-destination=${countsFile}`,
      ...files,
    ],
    { live: 'live', ...(options.env === undefined ? {} : { env: options.env }) },
  );
  const counts = readCounts(countsFile);
  if (counts === undefined) return oneFailed;
  // A file that dies outside of any test fails the run without failing a case.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readCounts(file: string): Counts | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Counts;
  } catch {
    return undefined;
  }
}
