import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { memberKinds } from './flags.ts';

const main = new URL('../main.ts', import.meta.url).pathname;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

for (const kind of memberKinds) {
  test(`${kind}: without its bus it says so, is alive and not ready, and ends in order`, async () => {
    const [nobody, numbers] = [await freePort(), await freePort()];
    const args = [kind, '--bus', `nats://127.0.0.1:${nobody}`, '--metrics-port', String(numbers)];
    const own = { controller: [], signaling: ['--listen', '127.0.0.1:0'], media: ['--udp-port', '0'] }[kind];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args, ...own]);
    const closed = once(child, 'close') as Promise<[number | null]>;
    let said = '';
    const saysSo = new Promise<void>((resolve) => {
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (/bus\.away .*problem="connection refused"/.test(said)) resolve();
      });
    });
    try {
      await Promise.race([saysSo, closed]);
      const get = async (path: string) => await fetch(`http://127.0.0.1:${numbers}${path}`);
      assert.equal((await get('/healthz')).status, 200);
      const ready = await get('/readyz');
      assert.equal(ready.status, 503);
      assert.equal(await ready.text(), 'bus: connection refused\n');
      assert.match(await (await get('/metrics')).text(), /^sluice_bus_connected 0$/m);
    } finally {
      child.kill('SIGTERM');
    }
    assert.deepEqual(await closed, [0, null], said);
  });
}

test('signaling: what it cannot start with is one clear line, and its end', async () => {
  const args = ['signaling', '--bus', 'nats://127.0.0.1:1', '--listen', '0.0.0.0:0', '--metrics-port', '0'];
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args]);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    assert.deepEqual(await once(child, 'close'), [1, null], said);
    assert.match(said, /^sluice: The development key works only on loopback/m);
  } finally {
    child.kill('SIGKILL');
  }
});
