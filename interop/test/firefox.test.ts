import { describe, test } from 'node:test';
import {
  assemble,
  assertGood,
  camera360p,
  type Member,
  observeCall,
  untilAllFullSize,
  untilAllReceive,
  withDiaries,
} from '../src/call.ts';
import type { CameraOptions, JoinOptions } from '../src/page-api.ts';
import { setting } from '../src/setting.ts';

const OBSERVED_MS = 10_000;

const here = setting();

async function meeting(codec: CameraOptions['codec'], chromiums: number, mode: JoinOptions['mode']): Promise<void> {
  const camera = { ...camera360p, codec };
  const firefox = await here.stage.client('firefox');
  // Whatever it is asked for, in Firefox the SDK sends VP8.
  const members: Member[] = [
    { identity: 'firefox', client: firefox, camera: { ...camera360p, codec: 'vp8' }, microphone: 'on' },
  ];
  for (let i = 0; i < chromiums; i += 1) {
    members.push({ identity: `chromium-${i + 1}`, client: await here.stage.client(), camera, microphone: 'on' });
  }
  const clients = members.map(({ client }) => client);
  try {
    await withDiaries(here.sluice, clients, async () => {
      await assemble(here.sluice, `firefox-${codec}-${chromiums}-${mode}`, members, mode);
      await untilAllReceive(members);
      await untilAllFullSize(members);
      assertGood(await observeCall(members, OBSERVED_MS), members, { size: '640×360', fps: 15 });
    });
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
}

// Debian's Firefox has no H.264: its plug-in would be a download.
describe('calls between Firefox and Chromium: 640×360 at 15 fps or more, and sound, for 10 s', () => {
  for (const codec of ['vp8', 'vp9', 'av1'] as const) {
    test(`Firefox and Chromium, which sends ${codec}, one peer connection`, () => meeting(codec, 1, 'single'));
  }
  test('Firefox and two Chromium pages, vp8, one peer connection', () => meeting('vp8', 2, 'single'));
  test('Firefox and Chromium, vp8, two peer connections', () => meeting('vp8', 1, 'dual'));
});
