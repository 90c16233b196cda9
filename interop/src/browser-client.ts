import type { Browser, Page } from 'puppeteer-core';
import type { InteropPage } from './page-api.ts';
import { within } from './wait.ts';

const CALL_DEADLINE_MS = 40_000;
/** The SDK logs URLs with whole offers in them. */
const CONSOLE_CHARACTERS = 240;

/** The page's API from here: every method asynchronous. */
export type RemotePage = {
  readonly [Name in keyof InteropPage]: (
    ...args: Parameters<InteropPage[Name]>
  ) => Promise<Awaited<ReturnType<InteropPage[Name]>>>;
};

/** One page of a browser: one participant. */
export class BrowserClient implements AsyncDisposable {
  readonly page: Page;
  /** Calls go to the page by name. */
  readonly call: RemotePage;
  readonly #console: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) =>
      this.#console.push(`${message.type()}: ${message.text().slice(0, CONSOLE_CHARACTERS)}`),
    );
    page.on('pageerror', (error) => this.#console.push(`error: ${String(error)}`));
    this.call = new Proxy({} as RemotePage, {
      get: (_, name) => (argument: unknown, second: unknown, third: unknown) =>
        this.#invoke(String(name), [argument, second, third]),
    });
  }

  static async open(browser: Browser, url: string): Promise<BrowserClient> {
    const page = await browser.newPage();
    const client = new BrowserClient(page);
    await page.goto(url, { waitUntil: 'load', timeout: CALL_DEADLINE_MS });
    await page.waitForFunction('globalThis.interop !== undefined', { timeout: CALL_DEADLINE_MS });
    return client;
  }

  /** What happened on the page, for the message of a failed test. */
  async diary(): Promise<string> {
    const events = await this.call.events().catch(() => []);
    return [...events, ...this.#console.slice(-40)].join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close();
  }

  async #invoke(name: string, args: readonly unknown[]): Promise<never> {
    const given = args.filter((argument) => argument !== undefined);
    const answer = this.page.evaluate(
      // Runs in the page, where types are gone.
      `globalThis.interop[${JSON.stringify(name)}](...${JSON.stringify(given)})`,
    );
    return (await within(`${name}() in the page`, CALL_DEADLINE_MS, answer)) as never;
  }
}
