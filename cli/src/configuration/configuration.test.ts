import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@sluice/runtime';
import { apiKeysOf, isLoopback, keyNamed } from './keys.ts';
import { withFlags } from './read.ts';
import { reference, referencePage } from './reference.ts';
import { SluiceConfig } from './schema.ts';

function configured(yaml: string): SluiceConfig {
  const result = loadConfig(SluiceConfig, yaml, 'sluice.yaml');
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

test('configuration: the defaults are the ports that LiveKit’s users know, on loopback', () => {
  const { signaling, media } = configured('');
  assert.deepEqual(signaling.listen, { address: '127.0.0.1', port: 7880 });
  assert.equal(media.udpPort, 7882);
});

test('configuration: the development key works on loopback alone', () => {
  assert.deepEqual(apiKeysOf(configured('')), { all: { devkey: 'secret' }, development: true });
  for (const address of ['0.0.0.0', '::', '192.168.1.5']) {
    const config = configured(`signaling: { listen: { address: "${address}" } }`);
    assert.throws(() => apiKeysOf(config), { code: 'CLI_DEVELOPMENT_KEY_IN_PUBLIC' });
  }
  // Not even when somebody writes it down as a key of their own.
  const written = configured('apiKeys: { devkey: secret }\nsignaling: { listen: { address: 0.0.0.0 } }');
  assert.throws(() => apiKeysOf(written), { code: 'CLI_DEVELOPMENT_KEY_IN_PUBLIC' });
});

test('configuration: keys of one’s own work everywhere, and the development key is gone', () => {
  const keys = apiKeysOf(configured('apiKeys: { mine: hidden }\nsignaling: { listen: { address: 0.0.0.0 } }'));
  assert.deepEqual(keys, { all: { mine: 'hidden' }, development: false });
  assert.deepEqual(keyNamed(keys, undefined), { name: 'mine', secret: 'hidden' });
  assert.throws(() => keyNamed(keys, 'devkey'), { code: 'CLI_BAD_ARGUMENT' });
});

test('configuration: flags win over the file and pass the same schema', () => {
  const config = configured('signaling: { listen: { port: 1, address: "::1" } }');
  const { signaling, media } = withFlags(config, { port: 9000, udpPort: 9001 });
  assert.deepEqual(signaling.listen, { address: '::1', port: 9000 });
  assert.equal(media.udpPort, 9001);
  assert.throws(() => withFlags(config, { port: 70_000 }), /--port: .*70000/);
});

test('configuration: every key has a sentence', () => {
  const rows = referencePage()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  assert.ok(rows.length > 20);
  for (const row of rows) assert.match(row, /[.;:] \|$/, `no sentence: ${row}`);
  assert.match(reference(), /media\.udpPort \(default 7882/);
});

test('loopback: what only this machine reaches', () => {
  assert.deepEqual(['127.0.0.1', '127.8.8.8', '::1', 'localhost'].map(isLoopback), [true, true, true, true]);
  assert.deepEqual(['0.0.0.0', '::', '10.0.0.1', '127.evil.example'].map(isLoopback), [false, false, false, false]);
});
