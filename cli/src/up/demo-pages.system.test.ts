import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { DemoPages } from './demo-pages.ts';

const folder = mkdtempSync(`${tmpdir()}/sluice-tests-demo-`);
mkdirSync(`${folder}/assets`);
writeFileSync(`${folder}/index.html`, '<!doctype html>');
writeFileSync(`${folder}/assets/a.js`, 'let a = 1;'.repeat(100));
writeFileSync(`${folder}/secret.txt`, 'not a page');

const pages = new DemoPages({ folder, token: async (room, name) => `${room}/${name}` });
const server = createServer((request, response) => {
  if (!pages.handle(request, response)) response.writeHead(404).end();
});
let url = '';

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(async () => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const ask = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${url}/demo/token`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers });

test('demo: the page, its assets, and nothing else of its folder', async () => {
  const page = await fetch(`${url}/?room=a`, { headers: { accept: 'text/html,*/*' } });
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(await page.text(), '<!doctype html>');
  const asset = await fetch(`${url}/assets/a.js`);
  assert.match(asset.headers.get('cache-control') ?? '', /immutable/);
  assert.equal((await asset.text()).length, 1_000);
  for (const path of ['/secret.txt', '/assets', '/../etc/passwd', '/index.html', '/%2e%2e/etc/passwd']) {
    assert.equal((await fetch(url + path)).status, 404, path);
  }
});

test('demo: who does not ask for a page gets none: a health check', async () => {
  assert.equal((await fetch(url)).status, 404);
});

test('demo: what a browser has already is not sent again', async () => {
  const asset = `${url}/assets/a.js`;
  const etag = (await fetch(asset)).headers.get('etag') ?? '';
  assert.equal((await fetch(asset, { headers: { 'if-none-match': etag } })).status, 304);
});

test('demo: a token for a room and a name', async () => {
  assert.deepEqual(await (await ask({ room: 'r', name: 'Ada' })).json(), { token: 'r/Ada' });
  assert.deepEqual(await (await ask({ room: 'r', name: '' })).json(), { token: 'r/Guest' });
});

test('demo: bad requests for a token are refused', async () => {
  for (const body of [
    '',
    'x',
    '[]',
    '{"room":1}',
    { room: '', name: 'a' },
    { room: 'r' },
    `{"room":"${'r'.repeat(9_000)}"}`,
  ]) {
    assert.equal((await ask(body)).status, 400, JSON.stringify(body).slice(0, 40));
  }
  assert.equal((await fetch(`${url}/demo/token`)).status, 405);
});

test('demo: pages of others get no token, not even by a name that points here', async () => {
  assert.equal((await ask({ room: 'r', name: 'a' }, { origin: 'https://evil.example' })).status, 403);
  const status = await new Promise((resolve) => {
    const asked = httpRequest(
      `${url}/demo/token`,
      { method: 'POST', headers: { host: 'evil.example' } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    asked.end(JSON.stringify({ room: 'r', name: 'a' }));
  });
  assert.equal(status, 403);
});

test('demo: without development tokens there is nothing to ask', async () => {
  const closed = new DemoPages({ folder });
  const request = { url: '/demo/token', method: 'POST', headers: {} };
  assert.equal(closed.handle(request as never, {} as never), false);
});
