import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BrowserClient } from '../src/browser-client.ts';
import { camera360p, trackOf, untilMoving, withDiaries } from '../src/call.ts';
import type { JoinOptions } from '../src/page-api.ts';
import { setting } from '../src/setting.ts';
import { observeFor, until } from '../src/wait.ts';

const DEADLINE_MS = 15_000;

const here = setting();

interface Pair {
  readonly room: string;
  readonly alice: BrowserClient;
  readonly bob: BrowserClient;
  readonly mode: JoinOptions['mode'];
}

/** Alice and Bob in a room of their own, each with camera and microphone off. */
async function withPair(mode: JoinOptions['mode'], body: (pair: Pair) => Promise<void>): Promise<void> {
  const room = `room-${mode}-${performance.now()}`;
  const [alice, bob] = [await here.stage.client(), await here.stage.client()];
  try {
    await withDiaries(here.sluice, [alice, bob], async () => {
      for (const [identity, client] of [
        ['alice', alice],
        ['bob', bob],
      ] as const) {
        const token = await here.sluice.token({ room, identity, grant: { canUpdateOwnMetadata: true } });
        await client.call.join({ url: here.sluice.webSocketUrl, token, mode });
      }
      await body({ room, alice, bob, mode });
    });
  } finally {
    await alice[Symbol.asyncDispose]();
    await bob[Symbol.asyncDispose]();
  }
}

const eventsOf = async (client: BrowserClient, pattern: RegExp): Promise<string[]> =>
  (await client.call.events()).filter((line) => pattern.test(line));

const untilEvent = async (client: BrowserClient, pattern: RegExp): Promise<unknown> =>
  await until(`an event like ${pattern}`, DEADLINE_MS, async () => (await eventsOf(client, pattern)).length > 0);

const HEARD_WITHIN_MS = 5_000;
const TRIES = 4;

/**
 * Chromium's fake microphone beeps for 20 ms twice a second: whether that counts as speech depends on how much of the
 * silence between its encoder leaves out. About one in fifty that begin to send leaves out too little.
 */
async function publishSpeech(speaker: BrowserClient, listener: BrowserClient): Promise<void> {
  const isHeard = async () => (await eventsOf(listener, / speaking: alice/)).length > 0;
  for (let attempt = 1; attempt < TRIES; attempt += 1) {
    const sid = await speaker.call.publishMicrophone();
    const endMs = performance.now() + HEARD_WITHIN_MS;
    while (performance.now() < endMs) {
      if (await isHeard()) return;
      await observeFor(100);
    }
    await speaker.call.unpublish(sid);
  }
  await speaker.call.publishMicrophone();
  await until('somebody speaks', DEADLINE_MS, isHeard);
}

for (const mode of ['single', 'dual'] as const) {
  describe(`what happens in a room is seen by the others (${mode})`, () => {
    test('mute and unmute', () =>
      withPair(mode, async ({ alice, bob }) => {
        const sid = await alice.call.publishCamera({ ...camera360p, codec: 'vp8' });
        await untilMoving(bob, 'alice');
        await alice.call.setMuted(sid, true);
        await untilEvent(bob, new RegExp(` muted: alice ${sid}`));
        await alice.call.setMuted(sid, false);
        await untilEvent(bob, new RegExp(` unmuted: alice ${sid}`));
        await untilMoving(bob, 'alice');
      }));

    test('unpublish, and publish again', () =>
      withPair(mode, async ({ alice, bob }) => {
        const first = await alice.call.publishCamera({ ...camera360p, codec: 'vp8' });
        await untilMoving(bob, 'alice');
        await alice.call.unpublish(first);
        await untilEvent(bob, new RegExp(` unpublished: alice ${first}`));
        const second = await alice.call.publishCamera({ ...camera360p, codec: 'vp8' });
        assert.notEqual(second, first);
        await untilMoving(bob, 'alice');
      }));

    test('metadata, name and attributes', () =>
      withPair(mode, async ({ alice, bob }) => {
        await alice.call.setMetadata({ metadata: 'likes tea' });
        await alice.call.setMetadata({ name: 'Alice A.' });
        await alice.call.setMetadata({ attributes: { mood: 'good' } });
        await until('Bob sees all three', DEADLINE_MS, async () => {
          const [seen] = await bob.call.participants();
          return seen?.metadata === 'likes tea' && seen.name === 'Alice A.' && seen.attributes['mood'] === 'good';
        });
        await alice.call.setMetadata({ attributes: { mood: '' } });
        await until('an empty attribute is gone', DEADLINE_MS, async () => {
          const [seen] = await bob.call.participants();
          return seen !== undefined && !('mood' in seen.attributes);
        });
      }));

    test('unsubscribe stops the media, subscribe brings it back', () =>
      withPair(mode, async ({ alice, bob }) => {
        const sid = await alice.call.publishCamera({ ...camera360p, codec: 'vp8' });
        await untilMoving(bob, 'alice');
        await bob.call.setSubscribed(sid, false);
        await untilEvent(bob, new RegExp(` unsubscribed: alice ${sid}`));
        await bob.call.setSubscribed(sid, true);
        await untilMoving(bob, 'alice');
      }));

    test('a disabled track costs nothing until it is enabled again', () =>
      withPair(mode, async ({ alice, bob }) => {
        const sid = await alice.call.publishCamera({ ...camera360p, codec: 'vp8' });
        await untilMoving(bob, 'alice');
        await bob.call.setEnabled(sid, false);
        await until('no more packets arrive', DEADLINE_MS, async () => {
          const before = trackOf(await bob.call.received(), 'alice', 'video')?.packetsReceived;
          await observeFor(1_000);
          return trackOf(await bob.call.received(), 'alice', 'video')?.packetsReceived === before;
        });
        await bob.call.setEnabled(sid, true);
        await untilMoving(bob, 'alice');
      }));

    test('who speaks', () =>
      withPair(mode, async ({ alice, bob }) => {
        await publishSpeech(alice, bob);
        await untilEvent(alice, / speaking: alice/);
      }));

    test('texts of the chat', () =>
      withPair(mode, async ({ alice, bob }) => {
        const text = 'grüße, 你好, 👋 — and '.repeat(2_000);
        await alice.call.sendText(text, 'interop');
        const texts = await until('the text arrives', DEADLINE_MS, async () => {
          const got = await bob.call.textsReceived();
          return got.length > 0 ? got : undefined;
        });
        assert.deepEqual(texts, [{ from: 'alice', topic: 'interop', text }]);
      }));

    test('leaving', () =>
      withPair(mode, async ({ alice, bob }) => {
        await alice.call.leave();
        await untilEvent(bob, / participant disconnected: alice/);
        assert.deepEqual(await bob.call.participants(), []);
      }));

    test('a second join with the same identity takes the first one’s place', () =>
      withPair(mode, async ({ room, alice, bob }) => {
        const again = await here.stage.client();
        try {
          const token = await here.sluice.token({ room, identity: 'alice' });
          const { sid } = await again.call.join({ url: here.sluice.webSocketUrl, token, mode });
          await untilEvent(alice, / disconnected: DUPLICATE_IDENTITY/);
          await until('Bob sees the new Alice alone', DEADLINE_MS, async () => {
            const seen = await bob.call.participants();
            return seen.length === 1 && seen[0]?.sid === sid;
          });
          await again.call.publishCamera({ ...camera360p, codec: 'vp8' });
          await untilMoving(bob, 'alice');
        } finally {
          await again[Symbol.asyncDispose]();
        }
      }));

    test('a publisher who was there first is seen by who comes later', () =>
      withPair(mode, async ({ room, alice }) => {
        await alice.call.publishCamera({ ...camera360p, codec: 'vp8' });
        await alice.call.publishMicrophone();
        const late = await here.stage.client();
        try {
          const token = await here.sluice.token({ room, identity: 'carol' });
          await late.call.join({ url: here.sluice.webSocketUrl, token, mode });
          await untilMoving(late, 'alice');
        } finally {
          await late[Symbol.asyncDispose]();
        }
      }));
  });
}
