import { setTimeout as sleep } from 'node:timers/promises';
import { checkSuites } from './suites/check-suites.ts';
import { findingsSuite } from './suites/command.ts';
import { interopSuites } from './suites/interop-suites.ts';
import { fuzzSuite, nativeTestSuite, sanitizerBuildsBeside } from './suites/native-tests.ts';
import { beside, runSuites } from './suites/suite.ts';
import { leftovers, RUN_VARIABLE, testFolders } from './system/leftovers.ts';
import { prepareSystem } from './system/packages.ts';

/** `npm test`: everything. */
const FUZZ_SECONDS = 3;
/** A browser's helpers take a moment to end after it. */
const ENDING_DEADLINE_MS = 5_000;

const run = String(process.pid);
process.env[RUN_VARIABLE] = run;
/** What a run that was ended by force left is not this one's fault. */
const foldersBefore = testFolders();

const prepared = await prepareSystem();
if (prepared.ok) {
  const sanitizerBuilds = sanitizerBuildsBeside();
  const total = await runSuites([
    ...checkSuites(),
    ...interopSuites({ without: ['churn'] }),
    sanitizerBuilds,
    // Two hundred clients that come and go leave a core free.
    ...interopSuites({ only: ['churn'] }).flatMap((churn) =>
      beside(churn, [
        nativeTestSuite('C++ tests under ThreadSanitizer', 'tsan'),
        nativeTestSuite('C++ tests under AddressSanitizer and UBSan', 'asan'),
        fuzzSuite('fuzz targets: seeds and mutations', FUZZ_SECONDS),
      ]),
    ),
    findingsSuite('nothing is left behind', nothingLeft),
  ]);
  process.exitCode = total.failed > 0 ? 1 : 0;
} else {
  console.error(prepared.advice);
  process.exitCode = 1;
}

async function nothingLeft(): Promise<readonly string[]> {
  const endMs = performance.now() + ENDING_DEADLINE_MS;
  let left = leftovers(run, foldersBefore);
  while (left.length > 0 && performance.now() < endMs) {
    await sleep(200);
    left = leftovers(run, foldersBefore);
  }
  return left;
}
