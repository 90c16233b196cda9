import { readFile } from 'node:fs/promises';
import type { Page } from 'puppeteer-core';

export interface SectionState {
  readonly mid: string;
  readonly direction: string | null;
  readonly sends: readonly string[];
  readonly layers: readonly string[];
  readonly receives: readonly string[];
  readonly receivedTrack: string;
}

/** The peer connection of `acceptance.page.js`, from here. */
export class RemotePeer {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  async open(): Promise<void> {
    await this.#page.evaluate(await readFile(new URL('acceptance.page.js', import.meta.url), 'utf8'));
    await this.#call('open');
  }

  async openChannel(label: string): Promise<void> {
    await this.#call('openChannel', label);
  }

  async publish(kind: 'audio' | 'video', rids: readonly string[] = []): Promise<string> {
    return (await this.#call('publish', kind, rids)) as string;
  }

  async unpublish(mid: string): Promise<void> {
    await this.#call('unpublish', mid);
  }

  async stop(mid: string): Promise<void> {
    await this.#call('stop', mid);
  }

  async receive(kind: 'audio' | 'video', count: number): Promise<void> {
    await this.#call('receive', kind, count);
  }

  async offer(ice: 'keep' | 'restart' = 'keep'): Promise<string> {
    return (await this.#call('offer', ice === 'restart')) as string;
  }

  async takeAnswer(sdp: string): Promise<void> {
    await this.#call('takeAnswer', sdp);
  }

  async answer(sdp: string): Promise<string> {
    return (await this.#call('answer', sdp)) as string;
  }

  async section(mid: string): Promise<SectionState> {
    const section = (await this.sections()).find((each) => each.mid === mid);
    if (!section) throw new Error(`no section ${mid}`);
    return section;
  }

  async sections(): Promise<readonly SectionState[]> {
    return (await this.#call('sections')) as readonly SectionState[];
  }

  async takeEvents(): Promise<readonly string[]> {
    return (await this.#call('takeEvents')) as readonly string[];
  }

  async #call(method: string, ...given: unknown[]): Promise<unknown> {
    return await this.#page.evaluate(`globalThis.peer.${method}(...${JSON.stringify(given)})`);
  }
}
