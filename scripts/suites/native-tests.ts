import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { stripVTControlCharacters } from 'node:util';
import { root, runCommand } from './command.ts';
import { type Counts, oneFailed, onePassed, type Suite, sum } from './suite.ts';

const folder = `${root}packet-path`;
const jobs = `-j${availableParallelism()}`;

/** The packet path's C++ tests in one build: plain, under AddressSanitizer and UBSan, or under ThreadSanitizer. */
export function nativeTestSuite(name: string, target: 'test' | 'asan' | 'tsan'): Suite {
  return {
    name,
    run: async () => {
      const program = { test: 'plain-tests', asan: 'asan-tests', tsan: 'tsan-tests' }[target];
      const build = await runCommand('make', ['-s', jobs, program], { cwd: folder });
      if (build.code !== 0) {
        console.log(build.output.trimEnd());
        return oneFailed;
      }
      const { code, output } = await runCommand('make', ['-s', target], { cwd: folder });
      const counts = doctestCounts(output);
      if (code !== 0 || counts === undefined) console.log(output.trimEnd());
      if (counts === undefined) return oneFailed;
      // A sanitizer's finding ends the program without failing a case.
      return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
    },
  };
}

/** Every fuzz target on its seeds and `seconds` of mutations, with the sanitizers on. */
export function fuzzSuite(name: string, seconds: number): Suite {
  return {
    name,
    run: async () => {
      const targets = await fuzzTargets();
      if (targets === undefined) return oneFailed;
      const results: Counts[] = [];
      for (const { program, seeds } of targets) {
        const { code, output } = await runCommand(program, [`--seconds=${seconds}`, seeds], { cwd: folder });
        const label = program.replace(/^.*fuzz-/, '');
        if (code !== 0) console.log(output.trimEnd());
        console.log(`${code === 0 ? '✔' : '✖'} ${label}: ${output.trimEnd().split('\n').at(-1) ?? ''}`);
        results.push(code === 0 ? onePassed : oneFailed);
      }
      return sum(results);
    },
  };
}

async function fuzzTargets(): Promise<{ program: string; seeds: string }[] | undefined> {
  const names = globSync('fuzz/*.fuzz.cc', { cwd: folder }).map((file) =>
    file.slice('fuzz/'.length, -'.fuzz.cc'.length),
  );
  const programs = names
    .toSorted()
    .map((name) => ({ program: `build/native/asan/fuzz-${name}`, seeds: `fuzz/seeds/${name}` }));
  const build = await runCommand('make', ['-s', jobs, ...programs.map(({ program }) => program)], { cwd: folder });
  if (build.code === 0) return programs;
  console.log(build.output.trimEnd());
  return undefined;
}

/** doctest's last words: `[doctest] test cases: 12 | 11 passed | 1 failed | 0 skipped`. */
export function doctestCounts(output: string): Counts | undefined {
  const found = /test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed(?: \|\s*(\d+) skipped)?/.exec(
    stripVTControlCharacters(output),
  );
  if (found === null) return undefined;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}
