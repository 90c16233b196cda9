/**
 * Writes real browsers' offers into sdp/test-data: run it by hand when a new browser version should be learnt.
 *
 *     node signaling/src/negotiation/browsers/capture-offers.ts
 */
import { readFile, writeFile } from 'node:fs/promises';
import { browserNames, openPage } from './browsers.ts';

const script = await readFile(new URL('capture-offers.page.js', import.meta.url), 'utf8');

for (const name of browserNames) {
  await using browser = await openPage(name);
  console.log(name, await browser.page.evaluate('navigator.userAgent'));
  const texts = (await browser.page.evaluate(`${script}\noffers()`)) as Record<string, string>;
  for (const [plan, sdp] of Object.entries(texts)) {
    await writeFile(new URL(`../../../../sdp/test-data/${name}-${plan}.sdp`, import.meta.url), sdp);
    console.log(`${name}-${plan}.sdp: ${sdp.length} bytes`);
  }
}
