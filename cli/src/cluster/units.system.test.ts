import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { memberKinds } from './flags.ts';

const unit = new URL('../../../deploy/systemd/sluice@.service', import.meta.url);
const missing = spawnSync('systemd-analyze', ['--version']).error !== undefined;

test('systemd finds nothing wrong with the unit', {
  skip: missing ? 'systemd-analyze is not installed' : false,
}, () => {
  const folder = mkdtempSync(`${tmpdir()}/sluice-tests-units-`);
  try {
    for (const kind of memberKinds) {
      // It looks whether the program is there: here it is this one.
      const text = readFileSync(unit, 'utf8').replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`);
      const file = `${folder}/sluice@${kind}.service`;
      writeFileSync(file, text);
      const { stdout, stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', file], {
        encoding: 'utf8',
      });
      // Other units of the machine may have their own troubles.
      const findings = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('sluice@'));
      assert.deepEqual({ findings, status }, { findings: [], status: 0 });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
