import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { LoadedSluice } from './testing.ts';

let sluice: LoadedSluice;
before(async () => {
  sluice = await LoadedSluice.start();
});
after(() => sluice?.stop());

test('load: people come and go, and the server is watched meanwhile', async () => {
  const file = `${sluice.folder}/churn.json`;
  const churn = ['--subscribers', '3', '--audio', '--churn', '2/s', '--seconds', '6', '--metrics', sluice.metricsUrl];
  // On a machine with much else to do the last to come may not be in at the end.
  const lenient = ['--min-connected', '50%', '--min-flowing', '50%'];
  const { code, out, err } = await sluice.load(...churn, ...lenient, '--json', file);
  assert.equal(code, 0, err);
  assert.match(out, /came and went +\d+ left, \d+ crashed/);
  assert.match(out, /the server +before +start +end +after\nmemory +[\d.]+ MB/);
  const { report } = JSON.parse(readFileSync(file, 'utf8'));
  assert.ok(report.clients.connected > 4, `${report.clients.connected} clients`);
  // Whoever vanished has been missed by then.
  const [before, , , afterwards] = report.server.tables.sluice_media_sessions;
  assert.deepEqual([before, afterwards], [0, 0]);
});
