import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { LoadedSluice } from './testing.ts';

let sluice: LoadedSluice;
before(async () => {
  sluice = await LoadedSluice.start();
});
after(() => sluice?.stop());

test('load: rooms with media, measured and written to a file', async () => {
  const file = `${sluice.folder}/report.json`;
  const flags = ['--rooms', '2', '--subscribers', '3', '--video', '500kbps', '--audio', '--json', file];
  const { code, out, err } = await sluice.load(...flags);
  assert.equal(code, 0, err);
  assert.match(out, /clients +8 of 8 connected\nstreams +12 of 12 came/);
  assert.match(out, /join +[\d.]+ ms/);
  const { plan, report, missed } = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal('apiSecret' in plan, false);
  assert.deepEqual(missed, []);
  assert.equal(report.video.streams, 6);
  assert.equal(report.video.brokenReferences, 0);
  assert.ok(report.video.bps.p50 > 350_000, `${report.video.bps.p50} bit/s`);
  assert.ok(report.firstFrameMs.p50 > 0 && report.firstFrameMs.p50 < 5_000, `${report.firstFrameMs.p50} ms`);
});

test('load: a bad network before the clients shows in what they get, and a threshold in the exit code', async () => {
  const { code, out, err } = await sluice.load(
    '--subscribers',
    '2',
    '--loss',
    '20%',
    '--delay',
    '20ms',
    '--max-loss',
    '1%',
  );
  assert.equal(code, 1, out);
  assert.match(err, /sluice: loss: [\d.]+ %, at most 1\.00 % was asked/);
});

test('load: two peer connections, several qualities of which each subscriber says what it wants', async () => {
  const flags = [
    '--publishers',
    '2',
    '--subscribers',
    '3',
    '--dual',
    '--simulcast',
    '--watch',
    'mixed',
    '--seconds',
    '4',
  ];
  const { code, out, err } = await sluice.load(...flags);
  assert.equal(code, 0, err);
  assert.match(out, /streams +8 of 8 came/);
  assert.doesNotMatch(out, /problem/);
});

test('load: who may not come in is told why', async () => {
  const { code, out, err } = await sluice.load('--subscribers', '1', '--api-secret', 'wrong');
  assert.equal(code, 1);
  assert.match(out, /problem +2 × refused: 401 invalid token/);
  assert.match(err, /clients that came in and stayed: 0\.00 %/);
});
