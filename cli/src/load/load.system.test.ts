import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';

const main = new URL('../main.ts', import.meta.url).pathname;
const folder = mkdtempSync(`${tmpdir()}/sluice-tests-load-`);
let server: ChildProcessWithoutNullStreams;
let url = '';
let metricsUrl = '';

before(async () => {
  const metricsPort = await freeTcpPort();
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  const config = `${folder}/sluice.yaml`;
  writeFileSync(config, `metrics: { port: ${metricsPort} }\n`);
  server = spawn(process.execPath, [main, 'up', '--port', '0', '--udp-port', '0', '--config', config]);
  for await (const text of server.stdout.setEncoding('utf8')) {
    url = /WebSocket +(ws:\/\/\S+)/.exec(text)?.[1] ?? url;
    if (url !== '') return;
  }
});

after(async () => {
  rmSync(folder, { recursive: true });
  if (server === undefined) return;
  server.kill('SIGTERM');
  if (server.exitCode === null) await once(server, 'close');
});

async function freeTcpPort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Ran {
  /** Undefined: it was ended by a signal, or not started at all. */
  readonly code: number | undefined;
  readonly out: string;
  readonly err: string;
}

const load = (...flags: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const args = [main, 'load', '--url', url, '--seconds', '2', ...flags];
    const child = execFile(process.execPath, args, (_, out, err) =>
      resolve({ code: child.exitCode ?? undefined, out, err }),
    );
  });

test('load: rooms with media, measured and written to a file', async () => {
  const file = `${folder}/report.json`;
  const flags = ['--rooms', '2', '--subscribers', '3', '--video', '500kbps', '--audio', '--json', file];
  const { code, out, err } = await load(...flags);
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
  const { code, out, err } = await load('--subscribers', '2', '--loss', '20%', '--delay', '20ms', '--max-loss', '1%');
  assert.equal(code, 1, out);
  assert.match(err, /sluice: loss: [\d.]+ %, at most 1\.00 % was asked/);
});

test('load: two peer connections, several qualities of which each subscriber says what it wants', async () => {
  const flags = ['--publishers', '2', '--subscribers', '3', '--dual', '--simulcast', '--watch', 'mixed'];
  const { code, out, err } = await load(...flags);
  assert.equal(code, 0, err);
  assert.match(out, /streams +8 of 8 came/);
  assert.doesNotMatch(out, /problem/);
});

test('load: people come and go, and the server is watched meanwhile', async () => {
  const file = `${folder}/churn.json`;
  const churn = ['--subscribers', '3', '--audio', '--churn', '2/s', '--seconds', '8', '--metrics', metricsUrl];
  // On a machine with much else to do the last to come may not be in at the end.
  const lenient = ['--min-connected', '50%', '--min-flowing', '50%'];
  const { code, out, err } = await load(...churn, ...lenient, '--json', file);
  assert.equal(code, 0, err);
  assert.match(out, /came and went +\d+ left, \d+ crashed/);
  assert.match(out, /the server +before +start +end +after\nmemory +[\d.]+ MB/);
  const { report } = JSON.parse(readFileSync(file, 'utf8'));
  assert.ok(report.clients.connected > 4, `${report.clients.connected} clients`);
  // Whoever vanished has been missed by then.
  const [before, , , afterwards] = report.server.tables.sluice_media_sessions;
  assert.deepEqual([before, afterwards], [0, 0]);
});

test('load: who may not come in is told why', async () => {
  const { code, out, err } = await load('--subscribers', '1', '--api-secret', 'wrong');
  assert.equal(code, 1);
  assert.match(out, /problem +2 × refused: 401 invalid token/);
  assert.match(err, /clients that came in and stayed: 0\.00 %/);
});
