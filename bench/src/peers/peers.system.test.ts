import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import type { PeerAdapter } from './adapter.ts';
import { mediaNode } from './media-node.ts';
import { measureRound, withPeer } from './round.ts';
import type { Shape } from './shapes.ts';
import { sluice } from './sluice.ts';

const small: Shape = {
  name: 'small',
  title: 'two meet',
  rooms: 1,
  publishers: 2,
  subscribers: 0,
  publishes: { microphone: { kind: 'audio' }, camera: { kind: 'video', bitrateBps: 300_000 } },
};

// Both on one core: what is measured here is only that it can be.
const measure = (adapter: PeerAdapter): ReturnType<typeof measureRound> =>
  measureRound({ adapter, cpuUs: () => performance.now(), cpu: 0, seconds: 1, settleSeconds: 1 }, small);

for (const adapter of [sluice, mediaNode]) {
  test(`${adapter.name}: a round measures what clients received`, async () => {
    const { packetsPerSecond, cpuUsPerPacket, delayP50Us, residentBytesPerReceiver } = await measure(adapter);
    assert.ok(packetsPerSecond > 50, `${packetsPerSecond} packets/s`);
    for (const value of [cpuUsPerPacket, delayP50Us, residentBytesPerReceiver]) assert.ok(value > 0, `${value}`);
  });
}

test('a round that fails leaves neither process nor folder', async () => {
  const folders = (): string[] => globSync(`${tmpdir()}/sluice-bench-*`);
  const before = folders();
  let pid = 0;
  const round = withPeer({ adapter: sluice, cpu: 0 }, async ({ peer }) => {
    pid = peer.pid;
    assert.ok(existsSync(`/proc/${pid}`));
    throw new Error('it failed');
  });
  await assert.rejects(round, { message: 'it failed' });
  assert.equal(existsSync(`/proc/${pid}`), false);
  assert.deepEqual(folders(), before);
});
