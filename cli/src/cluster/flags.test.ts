import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { endpoint, memberConfiguration } from './flags.ts';

const folder = mkdtempSync(`${tmpdir()}/sluice-tests-flags-`);
after(() => rmSync(folder, { recursive: true }));

const bus = 'nats://127.0.0.1:4222';

test('members: flags win over the environment, which wins over the file', () => {
  const config = `${folder}/sluice.yaml`;
  writeFileSync(
    config,
    `clusterSecret: the secret of the file\nsite: fra\nbus: { servers: ["nats://a"], user: me, password: of the file }\n`,
  );
  const environment = { SLUICE_CLUSTER_SECRET: 'the secret of the environment', SLUICE_BUS_PASSWORD: 'env' };
  const made = memberConfiguration('media', { config, bus: `nats://b,nats://c`, site: 'ber' }, environment);
  assert.equal(made.site, 'ber');
  assert.equal(made.clusterSecret, 'the secret of the environment');
  assert.deepEqual([made.bus.servers, made.bus.user, made.bus.password], [['nats://b', 'nats://c'], 'me', 'env']);
  assert.equal(memberConfiguration('media', { config }, {}).clusterSecret, 'the secret of the file');
});

test('members: on one machine nothing but the bus must be said; elsewhere a secret in common', () => {
  const made = memberConfiguration('media', { bus, public: '203.0.113.7:7882,[2001:db8::1]' }, {});
  assert.equal(made.metrics.port, 7892);
  assert.deepEqual(made.media.publicAddresses, [{ address: '203.0.113.7', port: 7882 }, { address: '2001:db8::1' }]);
  assert.equal(made.clusterSecret, memberConfiguration('controller', { bus }, {}).clusterSecret);
  assert.throws(() => memberConfiguration('controller', {}, {}), { code: 'CLI_NO_BUS' });
  const elsewhere = { bus: 'nats://10.1.2.3:4222' };
  assert.throws(() => memberConfiguration('controller', elsewhere, {}), { code: 'CLI_NO_CLUSTER_SECRET' });
  const secret = 'a secret of sixteen or more';
  assert.equal(memberConfiguration('media', elsewhere, { SLUICE_CLUSTER_SECRET: secret }).clusterSecret, secret);
});

test('members: flags are checked like the file, secrets are not repeated', () => {
  assert.throws(() => memberConfiguration('media', { bus: 'localhost' }, {}), /--bus: .*must look like nats:/);
  assert.throws(() => memberConfiguration('signaling', { bus, listen: '0.0.0.0:99999' }, {}), /--listen.*port/);
  const environment = { SLUICE_CLUSTER_SECRET: 'too short' };
  assert.throws(
    () => memberConfiguration('media', { bus }, environment),
    (error: Error) => /SLUICE_CLUSTER_SECRET/.test(error.message) && !error.message.includes('too short'),
  );
});

test('members: addresses with and without a port', () => {
  assert.deepEqual(endpoint('--x', '0.0.0.0:80'), { address: '0.0.0.0', port: 80 });
  assert.deepEqual(endpoint('--x', '::1'), { address: '::1' });
  assert.deepEqual(endpoint('--x', '[::1]:80'), { address: '::1', port: 80 });
  assert.deepEqual(endpoint('--x', '192.0.2.1'), { address: '192.0.2.1' });
  for (const text of ['', ':80', 'a:b', '[::1]:']) assert.throws(() => endpoint('--x', text), /--x/, text);
});
