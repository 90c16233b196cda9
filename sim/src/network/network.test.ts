import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@sluice/runtime/internal';
import { type Host, Network } from './network.ts';
import { networks } from './networks.ts';

function scene(): { clock: VirtualClock; network: Network; client: Host; heard: string[]; server: string } {
  const clock = new VirtualClock(0);
  const network = new Network(clock, 1);
  const heard: string[] = [];
  const server = network.host('192.0.2.1', networks.perfect);
  const client = network.host('198.51.100.1', { up: { delayMs: 10 }, down: { delayMs: 20 } });
  server.open((from, datagram) => heard.push(`${clock.nowUs() / 1000}ms ${from} ${datagram[0]}`), 7882);
  return { clock, network, client, heard, server: '192.0.2.1:7882' };
}

const byte = (value: number): Uint8Array => Uint8Array.of(value);

test('network: a datagram takes the delay of the links that it crosses, and is seen from the address of its host', () => {
  const { clock, client, heard, server } = scene();
  const socket = client.open(() => {});
  socket.send(server, byte(1));
  clock.advance(9_999);
  assert.deepEqual(heard, []);
  clock.advance(1);
  assert.deepEqual(heard, ['10ms 198.51.100.1:40001 1']);
});

test('network: after a NAT forgot, what goes to the old address reaches nobody', () => {
  const { clock, network, client, heard, server } = scene();
  const got: number[] = [];
  const socket = client.open((_, datagram) => got.push(datagram[0] ?? 0));
  const before = socket.address;
  client.rebind();
  assert.notEqual(socket.address, before);
  socket.send(server, byte(2));
  clock.advance(10_000);
  assert.deepEqual(heard, ['10ms 198.51.100.1:40002 2']);
  const back = network.host('192.0.2.2', networks.perfect).open(() => {});
  back.send(before, byte(3));
  back.send(socket.address, byte(4));
  clock.advance(20_000);
  assert.deepEqual(got, [4]);
  assert.equal(network.counts.toNobody, 1);
});

test('network: one host, one bottleneck, whatever the number of its sockets', () => {
  const { clock, network } = scene();
  const slow = network.host('198.51.100.2', { up: { rateBps: 8_000 * 128 }, down: {} });
  const arrivals: number[] = [];
  network.host('192.0.2.3', networks.perfect).open(() => arrivals.push(clock.nowUs()), 1);
  for (let i = 0; i < 3; i++) slow.open(() => {}).send('192.0.2.3:1', new Uint8Array(100));
  clock.advance(1_000_000);
  assert.deepEqual(arrivals, [1_000, 2_000, 3_000]);
});

test('stream: everything arrives in order, whatever is lost, and after the path was down', () => {
  const clock = new VirtualClock(0);
  const host = new Network(clock, 7).host('198.51.100.1', networks.lossy);
  const { up } = host.connect();
  const got: number[] = [];
  for (let i = 0; i < 200; i++) {
    up.send(() => got.push(i));
    clock.advance(20_000);
  }
  host.change(networks.partition);
  up.send(() => got.push(200));
  clock.advance(30_000_000);
  assert.equal(got.includes(200), false);
  host.change(networks.lossy);
  clock.advance(10_000_000);
  assert.deepEqual(got, [...Array(201).keys()]);
  up.send(() => got.push(-1));
  up.close();
  clock.advance(10_000_000);
  assert.equal(got.length, 201);
  assert.equal(clock.pendingTimers(), 0);
});
