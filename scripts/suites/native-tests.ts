import { globSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';
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

/**
 * Compiles what the suites with sanitizers run, beside the suites before them and out of their way: nothing in it waits
 * for a clock, and it takes as long as everything else on two cores. The suite it returns waits for the rest.
 */
export function sanitizerBuildsBeside(): Suite {
  const targets = ['asan-tests', 'tsan-tests', ...fuzzPrograms().map(({ program }) => program)];
  const building = runCommand('make', ['-s', jobs, ...targets], {
    cwd: folder,
    started: (pid) => setPriority(pid, constants.priority.PRIORITY_LOW),
  }).catch((error: unknown) => ({ code: null, output: String(error) }));
  return {
    name: 'builds with sanitizers (beside the above)',
    run: async () => {
      const { code, output } = await building;
      if (code === 0) return onePassed;
      console.log(output.trimEnd());
      return oneFailed;
    },
  };
}

/** Every fuzz target on its seeds and `seconds` of mutations, with the sanitizers on. */
export function fuzzSuite(name: string, seconds: number): Suite {
  return {
    name,
    run: async () => {
      const targets = fuzzPrograms();
      const build = await runCommand('make', ['-s', jobs, ...targets.map(({ program }) => program)], { cwd: folder });
      if (build.code !== 0) {
        console.log(build.output.trimEnd());
        return oneFailed;
      }
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

function fuzzPrograms(): { program: string; seeds: string }[] {
  return globSync('fuzz/*.fuzz.cc', { cwd: folder })
    .map((file) => file.slice('fuzz/'.length, -'.fuzz.cc'.length))
    .toSorted()
    .map((name) => ({ program: `build/native/asan/fuzz-${name}`, seeds: `fuzz/seeds/${name}` }));
}

/** doctest's last words: `[doctest] test cases: 12 | 11 passed | 1 failed | 0 skipped`. */
export function doctestCounts(output: string): Counts | undefined {
  const found = /test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed(?: \|\s*(\d+) skipped)?/.exec(
    stripVTControlCharacters(output),
  );
  if (found === null) return undefined;
  return { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}
