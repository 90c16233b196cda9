import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PathSnapshot } from '@sluice/packet-path';
import type { Machine } from '../ports.ts';
import { NodeLoad } from './node-load.ts';
import { publicAddresses } from './public-addresses.ts';

const shard = (cpuUs: number, over: { drops?: object; ioDrops?: object } = {}): PathSnapshot['shards'][number] => ({
  shard: 0,
  sessions: 1,
  counters: {},
  drops: { ...over.drops },
  io: {
    datagramsReceived: 10,
    bytesReceived: 1_000,
    receiveCalls: 1,
    datagramsSent: 20,
    bytesSent: 2_000,
    sendCalls: 1,
    burstsSplit: 0,
    rounds: 1,
    sleeps: 1,
    cpuUs,
    drops: { ...over.ioDrops },
  },
});

test('node load: is the share of the shards time that they ran', () => {
  const load = new NodeLoad();
  assert.equal(load.measure({ shards: [shard(0), shard(500)] }, 0).load, 0);
  assert.equal(load.measure({ shards: [shard(300_000), shard(700_500)] }, 1_000_000).load, 0.5);
  assert.equal(load.measure({ shards: [shard(300_000), shard(700_500)] }, 2_000_000).load, 0);
});

test('node load: numbers and drops are those of all shards and sockets', () => {
  const a = shard(0, { drops: { 'pool-empty': 1, paused: 2 }, ioDrops: { refused: 3 } });
  const b = shard(0, { drops: { 'pool-empty': 4, paused: 0 } });
  const { packetsIn, packetsOut, bytesIn, bytesOut, drops } = new NodeLoad().measure({ shards: [a, b] }, 0);
  assert.deepEqual([packetsIn, packetsOut, bytesIn, bytesOut], [20, 40, 2_000, 4_000]);
  assert.deepEqual(drops, { 'pool-empty': 5, paused: 2, refused: 3 });
});

const machine: Machine = {
  cores: 2,
  addresses: () => [
    { address: '127.0.0.1', family: 4, loopback: true },
    { address: '::1', family: 6, loopback: true },
    { address: '192.0.2.7', family: 4, loopback: false },
    { address: '169.254.1.1', family: 4, loopback: false },
    { address: 'fe80::1', family: 6, loopback: false },
    { address: '2001:db8::7', family: 6, loopback: false },
  ],
};

test('public addresses: what the operator says, with the bound port unless said', () => {
  const bound = [{ address: '10.0.0.1', port: 7882 }];
  const configured = [{ address: '198.51.100.1' }, { address: '198.51.100.2', port: 443 }];
  assert.deepEqual(publicAddresses(configured, bound, machine), [
    { address: '198.51.100.1', port: 7882 },
    { address: '198.51.100.2', port: 443 },
  ]);
});

test('public addresses: otherwise where it is bound', () => {
  assert.deepEqual(publicAddresses([], [{ address: '127.0.0.1', port: 1 }], machine), [
    { address: '127.0.0.1', port: 1 },
  ]);
});

test('public addresses: all addresses are the machines own of that family, loopback last', () => {
  const bound = [
    { address: '0.0.0.0', port: 7882 },
    { address: '::', port: 7882 },
    { address: '::1', port: 7882 },
  ];
  assert.deepEqual(
    publicAddresses([], bound, machine).map(({ address }) => address),
    ['192.0.2.7', '127.0.0.1', '2001:db8::7', '::1'],
  );
});
