import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrowserClient } from '../src/browser-client.ts';
import { camera360p, withDiaries } from '../src/call.ts';
import { setting } from '../src/setting.ts';
import { until } from '../src/wait.ts';

const here = setting();

const framesSent = async (client: BrowserClient): Promise<number> =>
  (await client.call.sent()).reduce((sum, { framesEncoded }) => sum + framesEncoded, 0);

const SETTLED_MS = 2_000;

/** No frame in a while. */
async function isAsleep(client: BrowserClient): Promise<boolean> {
  const sent = await framesSent(client);
  await sleep(SETTLED_MS);
  return (await framesSent(client)) === sent;
}

test('a Chromium page with dynacast sends nothing while nobody watches, and everything once somebody does', async () => {
  const [publisher, viewer] = [await here.stage.client(), await here.stage.client()];
  await withDiaries(here.sluice, [publisher, viewer], async () => {
    const join = async (client: BrowserClient, identity: string): Promise<void> => {
      const token = await here.sluice.token({ room: 'dynacast', identity });
      await client.call.join({ url: here.sluice.webSocketUrl, token, mode: 'single', dynacast: true });
    };
    await join(publisher, 'publisher');
    await publisher.call.publishCamera({ ...camera360p, codec: 'vp8', simulcast: true });
    await until('the page sends', 20_000, async () => (await framesSent(publisher)) > 0);
    await until('the page sends nothing', 30_000, () => isAsleep(publisher));
    await join(viewer, 'viewer');
    const decoded = async (): Promise<boolean> =>
      (await viewer.call.received()).some(({ framesDecoded }) => framesDecoded > 0);
    await until('the viewer sees it', 10_000, decoded);
  });
});
