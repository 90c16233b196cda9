import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { root } from './suites/command.ts';
import { fuzzSuite } from './suites/native-tests.ts';
import { runSuites } from './suites/suite.ts';

/** `npm run fuzz -- [seconds for each target]`: libFuzzer where clang is, else the seeds and seeded mutations. */
const DEFAULT_SECONDS = 60;
const seconds = Number(process.argv[2] ?? DEFAULT_SECONDS);
if (!(seconds > 0)) {
  console.error(`"${process.argv[2]}" is not a number of seconds.`);
  process.exitCode = 2;
} else if ((process.env['PATH'] ?? '').split(':').some((folder) => existsSync(`${folder}/clang++`))) {
  const make = spawn('make', ['-C', `${root}packet-path`, 'fuzz', `FUZZ_SECONDS=${seconds}`], { stdio: 'inherit' });
  make.once('close', (code) => {
    process.exitCode = code ?? 1;
  });
} else {
  console.log('clang++ is not installed: seeded mutations without coverage feedback instead (apt-get install clang).');
  const total = await runSuites([fuzzSuite('fuzz targets', seconds)]);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
