import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { BrowserClient } from '../src/browser-client.ts';
import { withDiaries } from '../src/call.ts';
import { disposeNodeSdk, NodeClient } from '../src/node-client.ts';
import type { DataMessageView, JoinOptions, SendDataOptions } from '../src/page-api.ts';
import { setting } from '../src/setting.ts';
import { until } from '../src/wait.ts';

/** Around every boundary there is: a byte, one datagram, one SCTP fragment, 16-bit lengths, and the SDKs' own limit of 64,000
 * bytes with what is around the message. */
const sizes = [1, 2, 3, 100, 1_000, 1_150, 1_200, 1_500, 4_096, 15_000, 16_384, 32_768, 48_000, 63_900];
const ROUNDS = 5;
const ARRIVAL_DEADLINE_MS = 30_000;

after(disposeNodeSdk);
const here = setting();

interface Peer {
  readonly identity: string;
  send(options: SendDataOptions): Promise<void>;
  received(): Promise<readonly DataMessageView[]>;
}

async function browserPeer(
  name: 'chromium' | 'firefox',
  room: string,
  mode: JoinOptions['mode'],
  clients: BrowserClient[],
) {
  const client = await here.stage.client(name);
  clients.push(client);
  const token = await here.sluice.token({ room, identity: name });
  await client.call.join({ url: here.sluice.webSocketUrl, token, mode });
  return {
    identity: name,
    send: (options: SendDataOptions) => client.call.sendData(options),
    received: () => client.call.dataReceived(),
  } satisfies Peer;
}

async function nodePeer(room: string): Promise<Peer & { client: NodeClient }> {
  const client = new NodeClient();
  await client.join(here.sluice.webSocketUrl, await here.sluice.token({ room, identity: 'rtc-node' }));
  return {
    identity: 'rtc-node',
    client,
    send: (options) => client.sendData(options),
    received: async () => client.dataReceived(),
  };
}

/** Everybody sends every size `ROUNDS` times to everybody, all at once. */
async function exchange(peers: readonly Peer[]): Promise<void> {
  const plan = Array.from({ length: ROUNDS }, () => sizes).flat();
  await Promise.all(
    peers.map(async (peer) => {
      for (const [number, bytes] of plan.entries()) {
        await peer.send({ bytes, number, reliable: true, topic: 'exchange' });
      }
    }),
  );
  const expected = plan.map((bytes, number) => ({ topic: 'exchange', number: number & 0xff, bytes, intact: true }));
  for (const receiver of peers) {
    for (const sender of peers) {
      if (sender === receiver) continue;
      const arrived = async () => (await receiver.received()).filter(({ from }) => from === sender.identity);
      await until(
        `all messages of ${sender.identity} arrive at ${receiver.identity}`,
        ARRIVAL_DEADLINE_MS,
        async () => (await arrived()).length >= expected.length,
        async () => (await arrived()).length,
      );
      const messages = (await arrived()).map(({ topic, number, bytes, intact }) => ({ topic, number, bytes, intact }));
      assert.deepEqual(messages, expected, `${sender.identity} → ${receiver.identity}`);
    }
    assert.equal((await receiver.received()).filter(({ from }) => from === receiver.identity).length, 0, 'an echo');
  }
  const total = plan.reduce((sum, bytes) => sum + bytes, 0);
  const pairs = peers.length * (peers.length - 1);
  console.log(`  ${plan.length} messages, ${total} bytes each way over ${pairs} ways: all there, in order, intact`);
}

async function withPeers(mode: JoinOptions['mode'], body: (peers: Peer[]) => Promise<void>): Promise<void> {
  const room = `data-${mode}-${performance.now()}`;
  const clients: BrowserClient[] = [];
  const node = await nodePeer(room);
  try {
    await withDiaries(here.sluice, clients, async () => {
      const chromium = await browserPeer('chromium', room, mode, clients);
      const firefox = await browserPeer('firefox', room, mode, clients);
      await body([node, chromium, firefox]);
    });
  } finally {
    await node.client[Symbol.asyncDispose]();
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
}

describe('data messages among Chromium, Firefox and the Node SDK', () => {
  for (const mode of ['single', 'dual'] as const) {
    test(`reliable, 1 byte to 64 kB: in order, none lost, no echo (${mode})`, () => withPeers(mode, exchange));
  }

  test('a message with destinations reaches those alone', () =>
    withPeers('single', async ([node, chromium, firefox]) => {
      assert.ok(node && chromium && firefox);
      await node.send({ bytes: 10, number: 1, reliable: true, topic: 'to one', to: ['firefox'] });
      await node.send({ bytes: 10, number: 2, reliable: true, topic: 'to all' });
      for (const [peer, numbers] of [
        [chromium, [2]],
        [firefox, [1, 2]],
      ] as const) {
        const got = async () => (await peer.received()).map(({ number }) => number);
        await until('the message to all arrives', ARRIVAL_DEADLINE_MS, async () => (await got()).includes(2));
        // Reliable messages of one sender are in order: what was sent before the last one has arrived or never will.
        assert.deepEqual(await got(), numbers);
      }
    }));

  test('lossy messages arrive on a line that loses nothing', () =>
    withPeers('single', async (peers) => {
      for (const peer of peers) {
        for (let number = 0; number < 20; number += 1) await peer.send({ bytes: 800, number, reliable: false });
      }
      for (const receiver of peers) {
        for (const sender of peers) {
          if (sender === receiver) continue;
          const arrived = async () => (await receiver.received()).filter(({ from }) => from === sender.identity);
          await until(
            `lossy messages of ${sender.identity} arrive at ${receiver.identity}`,
            ARRIVAL_DEADLINE_MS,
            async () => (await arrived()).length === 20,
            async () => (await arrived()).length,
          );
          assert.ok((await arrived()).every(({ intact }) => intact));
        }
      }
    }));
});
