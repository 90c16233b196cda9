import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assemble,
  assertGood,
  camera360p,
  type Member,
  observeCall,
  untilAllReceive,
  withDiaries,
} from '../src/call.ts';
import { flood } from '../src/flood.ts';
import { setting } from '../src/setting.ts';

const DATAGRAMS = 1_000_000;
/** More than a call needs many times over, and little enough that one core is left for the browsers. */
const PER_SECOND = 25_000;
const SOCKETS = 512;
/** Buffers and counters that exist once; nothing that grows with what comes. */
const MOST_GROWTH_KIB = 24_576;

const here = setting();

test('a million datagrams of garbage: the call does not notice, memory does not grow, nothing is amplified', async () => {
  const members: Member[] = [];
  for (const identity of ['alice', 'bob']) {
    members.push({
      identity,
      client: await here.stage.client(),
      camera: { ...camera360p, codec: 'vp8' },
      microphone: 'on',
    });
  }
  const clients = members.map(({ client }) => client);
  await withDiaries(here.sluice, clients, async () => {
    await assemble(here.sluice, 'garbage', members, 'single');
    await untilAllReceive(members);
    const usernameFragments = (await Promise.all(clients.map(({ call }) => call.serverFragments()))).flat();
    assert.ok(usernameFragments.length > 0);
    await flood({
      port: here.sluice.mediaPort,
      datagrams: 50_000,
      sockets: 64,
      perSecond: PER_SECOND,
      seed: 1,
      usernameFragments,
    });
    const before = here.sluice.footprint();

    const seed = Date.now() % 1_000_000;
    const [report, quality] = await Promise.all([
      flood({
        port: here.sluice.mediaPort,
        datagrams: DATAGRAMS,
        sockets: SOCKETS,
        perSecond: PER_SECOND,
        seed,
        usernameFragments,
      }),
      observeCall(members, (DATAGRAMS / PER_SECOND) * 1000),
    ]);

    const after = here.sluice.footprint();
    console.log(`  seed ${seed}: ${report.sent} datagrams from ${SOCKETS} addresses in ${report.seconds.toFixed(1)} s`);
    console.log(`  ${report.answers} answers, ${report.bytesAnswered} bytes for ${report.bytesSent}`);
    console.log(
      `  resident ${before.residentKiB} → ${after.residentKiB} KiB, sockets ${before.sockets} → ${after.sockets}`,
    );
    assert.deepEqual(report.amplified, []);
    assertGood(quality, members, { fps: 15 });
    assert.ok(after.residentKiB - before.residentKiB < MOST_GROWTH_KIB, 'memory grew');
    assert.equal(after.sockets, before.sockets);
    for (const client of clients) {
      const events = await client.call.events();
      assert.deepEqual(
        events.filter((line) => /reconnect|disconnect/i.test(line)),
        [],
      );
    }
  });
});
