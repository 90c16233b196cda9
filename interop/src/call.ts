import assert from 'node:assert/strict';
import type { Browser } from 'puppeteer-core';
import { BrowserClient } from './browser-client.ts';
import { type BrowserName, launchBrowser } from './browsers.ts';
import type { CameraOptions, JoinOptions, ReceivedTrack } from './page-api.ts';
import { PageServer } from './page-server.ts';
import type { SluiceProcess } from './sluice-process.ts';
import { observeFor, until } from './wait.ts';

const MEDIA_DEADLINE_MS = 30_000;

/** Browsers and the page they open, for one test file. */
export class Stage implements AsyncDisposable {
  readonly #pages: PageServer;
  readonly #browsers = new Map<BrowserName, Browser>();

  private constructor(pages: PageServer) {
    this.#pages = pages;
  }

  static async open(): Promise<Stage> {
    return new Stage(await PageServer.start());
  }

  /** A new page of the named browser, which is started when it is not running. */
  async client(name: BrowserName = 'chromium'): Promise<BrowserClient> {
    let browser = this.#browsers.get(name);
    if (browser === undefined) {
      browser = await launchBrowser(name);
      this.#browsers.set(name, browser);
    }
    return await BrowserClient.open(browser, this.#pages.url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const browser of this.#browsers.values()) await browser.close();
    await this.#pages[Symbol.asyncDispose]();
  }
}

export interface Member {
  readonly identity: string;
  readonly client: BrowserClient;
  /** undefined: publishes nothing. */
  readonly camera?: CameraOptions;
  readonly microphone: 'on' | 'off';
}

export const camera360p: Omit<CameraOptions, 'codec'> = { widthPx: 640, heightPx: 360, fps: 30, simulcast: false };

/** Everybody joins one room, one after the other as people do, and publishes. */
export async function assemble(
  sluice: SluiceProcess,
  room: string,
  members: readonly Member[],
  mode: JoinOptions['mode'],
): Promise<void> {
  for (const { identity, client, camera, microphone } of members) {
    const token = await sluice.token({ room, identity });
    await client.call.join({ url: sluice.webSocketUrl, token, mode });
    if (microphone === 'on') await client.call.publishMicrophone();
    if (camera !== undefined) await client.call.publishCamera(camera);
  }
}

/** Waits until `member` decodes every other's video and hears every other's audio. */
async function untilReceiving(member: Member, others: readonly Member[]): Promise<void> {
  let seen: ReceivedTrack[] = [];
  await until(
    `${member.identity} receives ${others.map(({ identity }) => identity).join(' and ')}`,
    MEDIA_DEADLINE_MS,
    async () => {
      seen = await member.client.call.received();
      return others.every(
        ({ identity, camera, microphone }) =>
          (camera === undefined || (trackOf(seen, identity, 'video')?.framesDecoded ?? 0) > 0) &&
          (microphone === 'off' || (trackOf(seen, identity, 'audio')?.audioEnergy ?? 0) > 0),
      );
    },
    () => seen,
  );
}

export async function untilAllReceive(members: readonly Member[]): Promise<void> {
  for (const member of members) await untilReceiving(member, othersThan(member, members));
}

const othersThan = (member: Member, members: readonly Member[]): Member[] =>
  members.filter((other) => other !== member);

export async function untilAllFullSize(members: readonly Member[]): Promise<void> {
  for (const member of members) await untilFullSize(member, othersThan(member, members));
}

export const framesOf = async (client: BrowserClient, identity: string): Promise<number> =>
  trackOf(await client.call.received(), identity, 'video')?.framesDecoded ?? 0;

/** Waits until half a second more of somebody's video has been decoded. */
export async function untilMoving(client: BrowserClient, identity: string): Promise<void> {
  const before = await framesOf(client, identity);
  await until(
    `frames of ${identity} go on`,
    MEDIA_DEADLINE_MS,
    async () => (await framesOf(client, identity)) > before + 15,
  );
}

/** Waits until `member` gets everybody else's video in the size that their cameras have: some senders work their way up. */
async function untilFullSize(member: Member, others: readonly Member[]): Promise<void> {
  let seen: ReceivedTrack[] = [];
  await until(
    `${member.identity} gets full-size video`,
    MEDIA_DEADLINE_MS,
    async () => {
      seen = await member.client.call.received();
      return others.every(({ identity, camera }) => {
        const track = trackOf(seen, identity, 'video');
        return camera === undefined || (track?.widthPx === camera.widthPx && track.heightPx === camera.heightPx);
      });
    },
    () => seen.map(({ identity, widthPx, heightPx }) => `${identity} ${widthPx}×${heightPx}`),
  );
}

export interface Quality {
  readonly from: string;
  readonly to: string;
  readonly kind: 'audio' | 'video';
  readonly codec: string;
  /** Frames a second decoded over the whole span, and in its worst second. */
  readonly fps: number;
  readonly worstFps: number;
  readonly size: string;
  readonly energy: number;
  readonly lost: number;
}

/** What everybody gets of everybody else over a span, looked at every second. */
export async function observeCall(members: readonly Member[], spanMs: number): Promise<Quality[]> {
  const samples: { atMs: number; tracks: ReceivedTrack[] }[][] = members.map(() => []);
  const look = async () => {
    await Promise.all(
      members.map(async ({ client }, i) => {
        const tracks = await client.call.received();
        samples[i]?.push({ atMs: performance.now(), tracks });
      }),
    );
  };
  await look();
  for (let passedMs = 0; passedMs < spanMs; passedMs += 1_000) {
    await observeFor(1_000);
    await look();
  }
  return members.flatMap(({ identity: to }, i) =>
    members.flatMap(({ identity: from }) => (from === to ? [] : qualities(from, to, samples[i] ?? []))),
  );
}

function qualities(from: string, to: string, samples: readonly { atMs: number; tracks: ReceivedTrack[] }[]): Quality[] {
  return (['video', 'audio'] as const).flatMap((kind) => {
    const series = samples.flatMap(({ atMs, tracks }) => {
      const track = trackOf(tracks, from, kind);
      return track === undefined ? [] : [{ atMs, track }];
    });
    const [first, last] = [series.at(0), series.at(-1)];
    if (first === undefined || last === undefined || first === last) return [];
    const rates = series.slice(1).map(({ atMs, track }, i) => {
      const before = series[i] ?? first;
      return ((track.framesDecoded - before.track.framesDecoded) * 1_000) / (atMs - before.atMs);
    });
    return [
      {
        from,
        to,
        kind,
        codec: last.track.codec,
        fps: ((last.track.framesDecoded - first.track.framesDecoded) * 1_000) / (last.atMs - first.atMs),
        worstFps: Math.min(...rates),
        size: `${last.track.widthPx}×${last.track.heightPx}`,
        energy: last.track.audioEnergy - first.track.audioEnergy,
        lost: last.track.packetsLost - first.track.packetsLost,
      },
    ];
  });
}

export function trackOf(
  tracks: readonly ReceivedTrack[],
  identity: string,
  kind: 'audio' | 'video',
): ReceivedTrack | undefined {
  return tracks.find((track) => track.identity === identity && track.kind === kind);
}

export interface Expected {
  readonly size?: string;
  readonly fps: number;
}

/** Every pair sees and hears each other as expected; the figures are printed either way. */
export function assertGood(quality: readonly Quality[], members: readonly Member[], expected: Expected): void {
  for (const { from, to, kind, codec, fps, worstFps, size, energy, lost } of quality) {
    const figures =
      kind === 'video'
        ? `${size} ${fps.toFixed(1)} fps, worst second ${worstFps.toFixed(1)}`
        : `energy ${energy.toFixed(3)}`;
    console.log(`  ${from} → ${to}: ${codec} ${figures}, ${lost} lost`);
  }
  for (const to of members) {
    for (const from of members) {
      if (from === to) continue;
      const find = (kind: 'audio' | 'video') =>
        quality.find((one) => one.from === from.identity && one.to === to.identity && one.kind === kind);
      if (from.camera !== undefined) {
        const video = find('video');
        assert.ok(video !== undefined, `${to.identity} has no video of ${from.identity}`);
        assert.ok(video.fps >= expected.fps, `${to.identity} decodes ${video.fps.toFixed(1)} fps of ${from.identity}`);
        assert.equal(video.codec, from.camera.codec);
        if (expected.size !== undefined) assert.equal(video.size, expected.size);
      }
      if (from.microphone === 'on') {
        const audio = find('audio');
        assert.ok(audio !== undefined, `${to.identity} has no audio of ${from.identity}`);
        assert.ok(audio.energy > 0, `${to.identity} hears nothing of ${from.identity}`);
      }
    }
  }
}

/** Runs a test's body; when it fails, says what every page and Sluice saw. */
export async function withDiaries(
  sluice: SluiceProcess,
  clients: readonly BrowserClient[],
  body: () => Promise<void>,
): Promise<void> {
  try {
    await body();
  } catch (error) {
    for (const [i, client] of clients.entries()) console.log(`── page ${i + 1}\n${await client.diary()}`);
    console.log(`── sluice\n${sluice.output.slice(-4_000)}`);
    throw error;
  }
}
