import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';

const main = new URL('../main.ts', import.meta.url).pathname;
const folder = mkdtempSync(`${tmpdir()}/sluice-tests-up-`);
after(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `sluice up`; when it says that it is up, calls `whenUp` and then ends it with `signal`. */
async function up(
  args: readonly string[],
  whenUp: (out: string) => Promise<void> = async () => undefined,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<Ended> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'up', ...args]);
  let [out, err] = ['', ''];
  const closed = once(child, 'close') as Promise<[number | null]>;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const ready = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (out.includes('Ctrl-C ends it.')) resolve();
    });
  });
  try {
    await Promise.race([ready, closed]);
    if (child.exitCode === null) await whenUp(out);
  } finally {
    if (child.exitCode === null) child.kill(signal);
  }
  const [code] = await closed;
  return { code, out, err };
}

const anyPorts = ['--port', '0', '--udp-port', '0'];

function configured(name: string, yaml: string): string[] {
  const file = `${folder}/${name}.yaml`;
  writeFileSync(file, `signaling: { listen: { port: 0 } }\nmedia: { udpPort: 0 }\n${yaml}`);
  return ['--config', file];
}

/** It refused to start: an exit code, one clear line, and nothing on standard output. */
function assertRefused({ code, out, err }: Ended, line: RegExp): void {
  assert.equal(code, 1, err);
  assert.equal(out, '');
  assert.match(err.trimEnd().split('\n')[0] ?? '', line);
}

test('up: says where everything is, and ends cleanly when it is told to', async () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const { code, out, err } = await up(
      anyPorts,
      async (text) => {
        const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
        assert.equal((await fetch(`${url}/`)).status, 200);
      },
      signal,
    );
    assert.equal(code, 0, err);
    assert.match(out, /Demo page {3}http:\/\/127/);
    assert.match(out, /WebSocket {3}ws:\/\/127/);
    assert.match(out, /API key {5}devkey, secret secret/);
    assert.match(out, /Join a room: http:\/\/127\.0\.0\.1:\d+\/\?room=demo&join=1/);
    assert.equal(err, '');
  }
});

test('up: a TCP port that is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    assertRefused(
      await up(['--port', String(port), '--udp-port', '0']),
      new RegExp(`127\\.0\\.0\\.1:${port} .*already.*another port`),
    );
  } finally {
    server.close();
  }
});

test('up: a UDP port that is taken', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  try {
    assertRefused(await up(['--port', '0', '--udp-port', String(port)]), new RegExp(`${port}`));
  } finally {
    socket.close();
  }
});

test('up: addresses that this machine does not have', async () => {
  // RFC 5737: documentation addresses are nobody's.
  const ended = await up([
    ...anyPorts,
    '--address',
    '203.0.113.7',
    ...configured('own-key', 'apiKeys: { a: b }').slice(0, 2),
  ]);
  assertRefused(ended, /203\.0\.113\.7.*no such address/);
  const media = configured('media-address', '').at(-1) ?? '';
  writeFileSync(media, 'signaling: { listen: { port: 0 } }\nmedia: { udpPort: 0, bindAddresses: [203.0.113.7] }\n');
  assertRefused(await up(['--config', media]), /203\.0\.113\.7/);
});

test('up: ports that only root may have', { skip: process.getuid?.() === 0 ? 'this is root' : false }, async () => {
  assertRefused(await up(['--port', '81', '--udp-port', '0']), /127\.0\.0\.1:81 .*does not allow/);
});

test('up: the development key is refused where others could use it', async () => {
  const { code, err } = await up([...anyPorts, '--address', '0.0.0.0']);
  assert.equal(code, 1);
  assert.match(err, /development key works only on loopback.*\n\napiKeys:\n {2}API\w+: \S{43}/s);
});

test('up: what is wrong with a configuration is said with its line', async () => {
  assertRefused(
    await up(configured('typo', 'contoller: {}')),
    /typo\.yaml:3:1: "contoller" .*nearest valid key is "controller"/,
  );
  assertRefused(
    await up(['--config', `${folder}/nothing.yaml`]),
    /nothing\.yaml cannot be read: there is no such file/,
  );
});

test('up: certificates that are no good, and one that is', async () => {
  const files = (name: string) => ({ certificate: `${folder}/${name}.crt`, key: `${folder}/${name}.key` });
  for (const name of ['one', 'other']) {
    const { certificate, key } = files(name);
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync(
      'openssl',
      ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'],
      { stdio: 'ignore' },
    );
  }
  const tls = (certificate: string, key: string) =>
    configured('tls', `tls: { certificate: ${certificate}, key: ${key} }`);
  const [one, other] = [files('one'), files('other')];
  assertRefused(
    await up(tls(one.certificate, `${folder}/none.key`)),
    /none\.key cannot be read \(there is no such file\)/,
  );
  assertRefused(await up(tls(one.key, one.key)), /one\.key is no certificate/);
  assertRefused(await up(tls(one.certificate, one.certificate)), /one\.crt is no private key/);
  assertRefused(await up(tls(one.certificate, other.key)), /other\.key is not the key of the certificate/);

  const { code, out } = await up(tls(one.certificate, one.key), async (text) => {
    const url = /https:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? '';
    const status = await new Promise((resolve, reject) => {
      request(url, { rejectUnauthorized: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .once('error', reject)
        .end();
    });
    assert.equal(status, 200);
  });
  assert.equal(code, 0);
  assert.match(out, /wss:\/\/127/);
});

test('up: numbers for Prometheus, where they are asked for', async () => {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address() as AddressInfo;
  socket.close();
  await once(socket, 'close');
  await up(configured('metrics', `metrics: { port: ${port} }`), async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(text, /^# HELP sluice_/m);
    const node = (await (await fetch(`http://127.0.0.1:${port}/debug/node`)).json()) as { shards: unknown[] };
    assert.ok(node.shards.length > 0);
    assert.equal((await fetch(`http://127.0.0.1:${port}/debug/sessions/SE_none`)).status, 404);
  });
});
