import { after, before, describe, test } from 'node:test';
import {
  assemble,
  assertGood,
  camera360p,
  type Member,
  observeCall,
  Stage,
  untilReceiving,
  withDiaries,
} from '../src/call.ts';
import type { CameraOptions, JoinOptions } from '../src/page-api.ts';
import { SluiceProcess } from '../src/sluice-process.ts';

const OBSERVED_MS = 10_000;

let sluice: SluiceProcess;
let stage: Stage;

before(async () => {
  sluice = await SluiceProcess.start();
  stage = await Stage.open();
});
after(async () => {
  await stage?.[Symbol.asyncDispose]();
  await sluice?.stop();
});

async function meeting(codec: CameraOptions['codec'], chromiums: number, mode: JoinOptions['mode']): Promise<void> {
  const camera = { ...camera360p, codec };
  const members: Member[] = [{ identity: 'firefox', client: await stage.client('firefox'), camera, microphone: 'on' }];
  for (let i = 0; i < chromiums; i += 1) {
    members.push({ identity: `chromium-${i + 1}`, client: await stage.client(), camera, microphone: 'on' });
  }
  const clients = members.map(({ client }) => client);
  try {
    await withDiaries(sluice, clients, async () => {
      await assemble(sluice, `firefox-${codec}-${chromiums}-${mode}`, members, mode);
      for (const member of members)
        await untilReceiving(
          member,
          members.filter((other) => other !== member),
        );
      // Firefox begins small and works its way up to the full size, so only the rate is asked for.
      assertGood(await observeCall(members, OBSERVED_MS), members, { codec, fps: 15 });
    });
  } finally {
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
}

// Debian's Firefox has no H.264: its plug-in would be a download.
describe('calls between Firefox and Chromium: 15 fps or more, and sound, for 10 s', () => {
  for (const codec of ['vp8', 'vp9', 'av1'] as const) {
    test(`Firefox and Chromium, ${codec}, one peer connection`, () => meeting(codec, 1, 'single'));
  }
  test('Firefox and two Chromium pages, vp8, one peer connection', () => meeting('vp8', 2, 'single'));
  test('Firefox and Chromium, vp8, two peer connections', () => meeting('vp8', 1, 'dual'));
});
