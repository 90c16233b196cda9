import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BrowserClient } from '../src/browser-client.ts';
import { camera360p, framesOf, trackOf, untilMoving, withDiaries } from '../src/call.ts';
import type { JoinOptions } from '../src/page-api.ts';
import { setting } from '../src/setting.ts';
import { TcpProxy } from '../src/tcp-proxy.ts';
import { observeFor, until } from '../src/wait.ts';

const DEADLINE_MS = 30_000;

const here = setting();

interface Scene {
  readonly alice: BrowserClient;
  readonly bob: BrowserClient;
  /** Alice's line to signaling. */
  readonly line: TcpProxy;
  readonly aliceSid: string;
}

/** Alice, behind a line that can be cut, sends video to Bob and gets his. */
async function withCall(mode: JoinOptions['mode'], body: (scene: Scene) => Promise<void>): Promise<void> {
  const room = `resume-${mode}-${performance.now()}`;
  await using line = await TcpProxy.to(here.sluice.httpPort);
  const [alice, bob] = [await here.stage.client(), await here.stage.client()];
  try {
    await withDiaries(here.sluice, [alice, bob], async () => {
      const join = async (identity: string, client: BrowserClient, url: string) => {
        const joined = await client.call.join({ url, token: await here.sluice.token({ room, identity }), mode });
        await client.call.publishCamera({ ...camera360p, codec: 'vp8' });
        return joined.sid;
      };
      const aliceSid = await join('alice', alice, `ws://127.0.0.1:${line.port}`);
      await join('bob', bob, here.sluice.webSocketUrl);
      await untilMoving(bob, 'alice');
      await untilMoving(alice, 'bob');
      await body({ alice, bob, line, aliceSid });
    });
  } finally {
    await alice[Symbol.asyncDispose]();
    await bob[Symbol.asyncDispose]();
  }
}

const count = async (client: BrowserClient, pattern: RegExp): Promise<number> =>
  (await client.call.events()).filter((line) => pattern.test(line)).length;

for (const mode of ['single', 'dual'] as const) {
  describe(`a lost signaling connection (${mode})`, () => {
    test('is resumed: media goes on meanwhile and afterwards, and nobody leaves', () =>
      withCall(mode, async ({ alice, bob, line, aliceSid }) => {
        line.breakDown();
        await until('Alice notices', DEADLINE_MS, async () => (await count(alice, / (signal )?reconnecting/i)) > 0);
        const before = await framesOf(bob, 'alice');
        await observeFor(1_500);
        const meanwhile = (await framesOf(bob, 'alice')) - before;
        assert.ok(meanwhile >= 15, `Bob decoded only ${meanwhile} frames of Alice while her signaling was away`);
        line.mend();
        await until('Alice is connected again', DEADLINE_MS, async () => (await count(alice, / reconnected$/)) > 0);
        await untilMoving(bob, 'alice');
        await untilMoving(alice, 'bob');
        assert.equal(await count(bob, / participant disconnected: alice/), 0, 'Bob saw Alice leave');
        const [seen] = await bob.call.participants();
        assert.equal(seen?.sid, aliceSid, 'a resumed participant keeps its sid');
      }));

    test('and what was published meanwhile is there afterwards', () =>
      withCall(mode, async ({ alice, bob, line }) => {
        line.breakDown();
        await until('Alice notices', DEADLINE_MS, async () => (await count(alice, / (signal )?reconnecting/i)) > 0);
        await bob.call.publishMicrophone();
        line.mend();
        await until('Alice hears Bob', DEADLINE_MS, async () => {
          const audio = trackOf(await alice.call.received(), 'bob', 'audio');
          return (audio?.audioEnergy ?? 0) > 0;
        });
      }));

    test('a full reconnect brings the call back', () =>
      withCall(mode, async ({ alice, bob }) => {
        await alice.call.simulate('full-reconnect');
        await until('Alice is connected again', DEADLINE_MS, async () => (await count(alice, / reconnected$/)) > 0);
        await untilMoving(bob, 'alice');
        await untilMoving(alice, 'bob');
        const seen = await bob.call.participants();
        assert.equal(seen.length, 1, 'Bob sees Alice once');
      }));

    test('a resume asked for by the client brings media over new ICE credentials', () =>
      withCall(mode, async ({ alice, bob }) => {
        await alice.call.simulate('resume-reconnect');
        await until('Alice is connected again', DEADLINE_MS, async () => (await count(alice, / reconnected$/)) > 0);
        await untilMoving(bob, 'alice');
        await untilMoving(alice, 'bob');
      }));
  });
}
