import type { LoadPlan, Thresholds } from '@sluice/load-tester';
import { badArgument } from '../errors.ts';
import type { LoadFlags } from './options.ts';

/** What the flags of `sluice load` mean; throws where they make no sense together. */
export function loadPlan(flags: LoadFlags, cores: number): LoadPlan {
  const { rooms, publishers, subscribers, seconds, joinsPerSecond, apiKey, apiSecret, watch, churn, metrics } = flags;
  if (publishers + subscribers === 0)
    throw badArgument('There is nobody to call with: give --publishers or --subscribers.');
  if (flags.maxMemoryGrowth !== undefined && metrics === undefined)
    throw badArgument('--max-memory-growth wants --metrics: the URL where the server tells its memory.');
  return {
    url: urlOf('--url', flags.url, signalSchemes, 'ws://127.0.0.1:7880'),
    apiKey,
    apiSecret,
    rooms,
    publishers,
    subscribers,
    publishersReceive: flags.publishOnly !== true,
    seconds,
    joinsPerSecond,
    mode: flags.dual === true ? 'dual' : 'single',
    publishes: publishesOf(flags),
    network: networkOf(flags),
    impaired: flags.impair,
    threads: flags.threads ?? Math.max(1, cores - 1),
    ...(churn === undefined ? {} : { churnPerMinute: churn }),
    ...(watch === undefined ? {} : { watch }),
    ...(metrics === undefined
      ? {}
      : { metricsUrl: urlOf('--metrics', metrics, httpSchemes, 'http://127.0.0.1:7881/metrics') }),
  };
}

export function loadThresholds(flags: LoadFlags): Thresholds {
  const { minConnected, minFlowing, minFramesShown, maxLoss, maxConcealed, maxFreezes, maxMemoryGrowth } = flags;
  const asked: Partial<Thresholds> = {
    ...(minFramesShown === undefined ? {} : { minFramesShown }),
    ...(maxLoss === undefined ? {} : { maxLoss }),
    ...(maxConcealed === undefined ? {} : { maxConcealed }),
    ...(flags.maxJoinP99 === undefined ? {} : { maxJoinP99Ms: flags.maxJoinP99 }),
    ...(flags.maxConnectP99 === undefined ? {} : { maxConnectP99Ms: flags.maxConnectP99 }),
    ...(flags.maxFirstFrameP99 === undefined ? {} : { maxFirstFrameP99Ms: flags.maxFirstFrameP99 }),
    ...(flags.maxDelayP99 === undefined ? {} : { maxDelayP99Ms: flags.maxDelayP99 }),
    ...(maxFreezes === undefined ? {} : { maxFreezes }),
    ...(maxMemoryGrowth === undefined ? {} : { maxMemoryGrowth }),
  };
  return { minConnected, minFlowing, ...asked };
}

const DEFAULT_VIDEO_BPS = 1_500_000;

function publishesOf({ video, audio, red, simulcast, size, fps }: LoadFlags): LoadPlan['publishes'] {
  const sendsAudio = audio === true || red === true;
  const sendsVideo = video !== undefined || simulcast === true || !sendsAudio;
  return {
    ...(sendsAudio ? { microphone: { kind: 'audio', red: red === true } } : {}),
    ...(sendsVideo
      ? {
          camera: {
            kind: 'video',
            ...size,
            framesPerSecond: fps,
            bitrateBps: video ?? DEFAULT_VIDEO_BPS,
            simulcast: simulcast === true,
          },
        }
      : {}),
  };
}

function networkOf({ loss, delay, jitter, rate }: LoadFlags): LoadPlan['network'] {
  return {
    ...(loss === undefined ? {} : { loss }),
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(jitter === undefined ? {} : { jitterMs: jitter }),
    ...(rate === undefined ? {} : { rateBps: rate }),
  };
}

type Schemes = Readonly<Record<string, string>>;

const signalSchemes: Schemes = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' };
const httpSchemes: Schemes = { 'http:': 'http:', 'https:': 'https:' };

function urlOf(flag: string, text: string, schemes: Schemes, example: string): string {
  const url = URL.parse(text);
  const scheme = url === null ? undefined : schemes[url.protocol];
  if (url === null || scheme === undefined)
    throw badArgument(`${flag} is "${text}"; it must be a URL such as ${example}.`);
  return `${scheme}//${url.host}${url.pathname}`;
}
