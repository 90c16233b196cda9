import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { launchBrowser } from '../src/browsers.ts';
import { SluiceProcess } from '../src/sluice-process.ts';
import { until } from '../src/wait.ts';

const DEADLINE_MS = 20_000;

let sluice: SluiceProcess;
let browser: Browser;

before(async () => {
  sluice = await SluiceProcess.start();
  browser = await launchBrowser('chromium');
});
after(async () => {
  await browser?.close();
  await sluice?.stop();
});

async function open(path: string, widthPx = 1280, heightPx = 760): Promise<Page> {
  const page = await browser.newPage();
  await page.setViewport({ width: widthPx, height: heightPx });
  await page.goto(`${sluice.httpUrl}${path}`, { waitUntil: 'load' });
  return page;
}

const textOf = async (page: Page): Promise<string> => String(await page.evaluate('document.body.innerText'));

const untilText = async (page: Page, text: string | RegExp): Promise<unknown> =>
  await until(
    `the page says ${text}`,
    DEADLINE_MS,
    async () => {
      const shown = await textOf(page);
      return typeof text === 'string' ? shown.includes(text) : text.test(shown);
    },
    async () => (await textOf(page)).slice(0, 600),
  );

/** Videos whose picture advances. */
const movingVideos = async (page: Page): Promise<number> =>
  Number(
    await page.evaluate(
      '[...document.querySelectorAll(".tile video")].filter((v) => v.videoWidth > 0 && v.currentTime > 0.5).length',
    ),
  );

describe('the demo page', () => {
  test('two people join by its links, see each other, chat, and read the statistics', async () => {
    const room = `demo-${performance.now()}`;
    const ada = await open(`/?room=${room}&name=Ada`);
    await ada.waitForSelector('button[type=submit]');
    await ada.click('button[type=submit]');
    await untilText(ada, 'You are the only one here');
    const grace = await open(`/?room=${room}&name=Grace&join=1`, 360, 740);
    try {
      for (const page of [ada, grace]) {
        await page.bringToFront();
        await until('both videos move', DEADLINE_MS, async () => (await movingVideos(page)) === 2);
      }
      await ada.bringToFront();
      await ada.click('button[aria-label="Chat"]');
      await ada.type('textarea', 'Can you read this?');
      await ada.keyboard.press('Enter');
      await grace.bringToFront();
      await until('a message is announced', DEADLINE_MS, () =>
        grace.evaluate('document.querySelector(".badge") !== null'),
      );
      await grace.click('button[aria-label="Chat"]');
      await untilText(grace, 'Can you read this?');
      await grace.click('button[aria-label="Close chat"]');

      await ada.bringToFront();
      await ada.click('button[aria-label="Statistics"]');
      await untilText(ada, /Grace\s*received[\s\S]*VP8[\s\S]*\d+×\d+[\s\S]*\d+ fps[\s\S]*bit\/s[\s\S]*%[\s\S]*ms/);

      // Names and mute states are seen by the other.
      await grace.bringToFront();
      await grace.keyboard.press('m');
      await ada.bringToFront();
      await until('Grace’s microphone is shown off', DEADLINE_MS, () =>
        ada.evaluate('document.querySelector("[aria-label=Grace]")?.innerText.includes("microphone off")'),
      );

      const overflow = await grace.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      assert.equal(overflow, 0, 'nothing sticks out of a phone’s width');

      await grace.bringToFront();
      await grace.click('button[aria-label="Leave"]');
      await untilText(grace, 'You left the room');
      await ada.bringToFront();
      await until('Ada is alone again', DEADLINE_MS, () =>
        ada.evaluate('document.querySelectorAll(".tile").length === 1'),
      );
    } finally {
      await ada.close();
      await grace.close();
    }
  });

  test('a token that has expired is told apart from one that is damaged', async () => {
    const expired = await open(`/?token=${await sluice.token({ room: 'r', identity: 'x', ttl: -3_600 })}`);
    await untilText(expired, 'This invitation has expired');
    await expired.close();
    const damaged = await open('/?token=not-a-token');
    await untilText(damaged, 'This invitation is damaged');
    await damaged.close();
  });

  test('a token of one’s own joins at once', async () => {
    const page = await open(
      `/?token=${await sluice.token({ room: 'invited', identity: 'x', name: 'Guest of honour' })}`,
    );
    await untilText(page, 'Guest of honour (you)');
    await page.close();
  });

  test('a refused camera is explained, and does not keep anyone out', async () => {
    const page = await browser.newPage();
    await page.evaluateOnNewDocument(
      'navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("Permission denied", "NotAllowedError"); }',
    );
    await page.goto(`${sluice.httpUrl}/?room=denied&name=Shy`);
    await untilText(page, 'This page may not use the camera');
    await page.click('button[type=submit]');
    await untilText(page, 'Shy (you)');
    await page.close();
  });

  test('a server that is away is noticed in the call, and before it', async () => {
    await using other = await SluiceProcess.start();
    const page = await browser.newPage();
    await page.goto(`${other.httpUrl}/?room=away&name=Left&join=1`);
    await untilText(page, 'Left (you)');
    const lobby = await browser.newPage();
    await lobby.goto(`${other.httpUrl}/?room=away&name=Late`);
    await lobby.waitForSelector('button[type=submit]');
    process.kill(other.pid, 'SIGKILL');
    await page.bringToFront();
    await untilText(page, 'Reconnecting…');
    await lobby.bringToFront();
    await lobby.click('button[type=submit]');
    await untilText(lobby, 'The server is away');
    await page.close();
    await lobby.close();
  });
});
