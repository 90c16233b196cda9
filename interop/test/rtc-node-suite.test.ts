import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { SluiceProcess } from '../src/sluice-process.ts';

const root = new URL('../..', import.meta.url).pathname;
const require = createRequire(import.meta.url);
const SUITE_DEADLINE_MS = 180_000;
/** 14 in e2e.test.ts (one is a table of four) and 15 in e2e_data_streams.test.ts. */
const CASES = 29;

let sluice: SluiceProcess;
before(async () => {
  sluice = await SluiceProcess.start();
});
after(() => sluice?.stop());

interface VitestReport {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      fullName: string;
      status: string;
      duration?: number;
      failureMessages: string[];
    }[];
  }[];
}

test('the end-to-end cases that @livekit/rtc-node ships pass unmodified', { timeout: SUITE_DEADLINE_MS }, async () => {
  const packageFolder = dirname(dirname(require.resolve('@livekit/rtc-node')));
  mkdirSync(`${root}build`, { recursive: true });
  // Within the repository, so that the suite's own imports are found in its node_modules.
  const folder = mkdtempSync(`${root}build/rtc-node-suite-`);
  try {
    cpSync(`${packageFolder}/src`, `${folder}/src`, { recursive: true });
    cpSync(`${packageFolder}/package.json`, `${folder}/package.json`);
    if (existsSync(`${packageFolder}/node_modules`))
      symlinkSync(`${packageFolder}/node_modules`, `${folder}/node_modules`);
    writeFileSync(`${folder}/vitest.config.mjs`, 'export default { cacheDir: ".vite", test: { watch: false } };\n');
    const report = await runVitest(folder);
    for (const { assertionResults, message } of report.testResults) {
      if (assertionResults.length === 0 && message) console.log(message);
      for (const { fullName, status, duration, failureMessages } of assertionResults) {
        console.log(`  ${status === 'passed' ? '✔' : '✖'} ${fullName} (${Math.round(duration ?? 0)} ms)`);
        for (const failure of failureMessages) console.log(failure.split('\n').slice(0, 12).join('\n'));
      }
    }
    console.log(
      `@livekit/rtc-node's own end-to-end cases: ${report.numPassedTests} passed, ${report.numFailedTests} failed of ${CASES}`,
    );
    assert.equal(report.numPassedTests, CASES);
    assert.equal(report.numFailedTests, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function runVitest(folder: string): Promise<VitestReport> {
  const reportFile = `${folder}/report.json`;
  const args = [
    `${root}node_modules/vitest/vitest.mjs`,
    'run',
    '--reporter=json',
    `--outputFile=${reportFile}`,
    'src/tests/e2e.test.ts',
    'src/tests/e2e_data_streams.test.ts',
  ];
  const env = {
    ...process.env,
    LIVEKIT_URL: sluice.webSocketUrl,
    LIVEKIT_API_KEY: sluice.key,
    LIVEKIT_API_SECRET: sluice.secret,
  };
  const output = await new Promise<string>((resolve) => {
    // A failed case is exit code 1; the report tells which.
    execFile(
      process.execPath,
      args,
      { cwd: folder, env, maxBuffer: 64 << 20, timeout: SUITE_DEADLINE_MS },
      (_, stdout, stderr) => resolve(`${stdout}${stderr}`),
    );
  });
  assert.ok(existsSync(reportFile), `vitest left no report:\n${output.slice(-4_000)}`);
  return JSON.parse(readFileSync(reportFile, 'utf8')) as VitestReport;
}
