import { checkSuites } from './suites/check-suites.ts';
import { runSuites } from './suites/suite.ts';

/** `npm run check`: everything that needs no browser and no network; under two minutes. */
const total = await runSuites(checkSuites());
process.exitCode = total.failed > 0 ? 1 : 0;
