import { describe, test } from 'node:test';
import {
  assemble,
  assertGood,
  camera360p,
  type Member,
  observeCall,
  untilAllReceive,
  withDiaries,
} from '../src/call.ts';
import type { CameraOptions, JoinOptions } from '../src/page-api.ts';
import { setting } from '../src/setting.ts';

const OBSERVED_MS = 10_000;

const here = setting();

async function meeting(codec: CameraOptions['codec'], count: number, mode: JoinOptions['mode']): Promise<void> {
  const members: Member[] = [];
  for (let i = 0; i < count; i += 1) {
    const client = await here.stage.client();
    members.push({ identity: `chromium-${i + 1}`, client, camera: { ...camera360p, codec }, microphone: 'on' });
  }
  const clients = members.map(({ client }) => client);
  try {
    await withDiaries(here.sluice, clients, async () => {
      await assemble(here.sluice, `${codec}-${count}-${mode}`, members, mode);
      await untilAllReceive(members);
      const quality = await observeCall(members, OBSERVED_MS);
      assertGood(quality, members, { size: '640×360', fps: 15 });
    });
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
}

describe('calls among Chromium pages: 640×360 at 15 fps or more, and sound, for 10 s', () => {
  for (const codec of ['vp8', 'h264', 'vp9', 'av1'] as const) {
    for (const count of [2, 3]) {
      test(`${count} pages, ${codec}, one peer connection`, () => meeting(codec, count, 'single'));
    }
  }
  test('2 pages, vp8, two peer connections', () => meeting('vp8', 2, 'dual'));
  test('3 pages, vp8, two peer connections', () => meeting('vp8', 3, 'dual'));
});
