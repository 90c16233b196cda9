import { interopSuites } from './suites/interop-suites.ts';
import { runSuites } from './suites/suite.ts';
import { prepareSystem } from './system/packages.ts';

/** `npm run interop -- [file …]`: the tests with real clients alone. */
const prepared = await prepareSystem();
if (prepared.ok) {
  const total = await runSuites(interopSuites({ only: process.argv.slice(2) }));
  process.exitCode = total.failed > 0 ? 1 : 0;
} else {
  console.error(prepared.advice);
  process.exitCode = 1;
}
