import type { Conditions } from '../network/link.ts';
import type { Trial } from './trial.ts';

const voice = { kind: 'audio' } as const;
/** 94, 375 and 1,500 kbit/s, each at 7.5, 15 and 30 frames a second. */
const camera = {
  kind: 'video',
  simulcast: true,
  widthPx: 1280,
  heightPx: 720,
  bitrateBps: 1_500_000,
  temporalLayers: 3,
} as const;
const person = { mic: voice, cam: camera } as const;

const two = [person, person];
const three = [person, person, person];
const path = (rateBps: number, over: Conditions = {}): Conditions => ({ delayMs: 20, rateBps, ...over });
const loses = (probability: number, over: Conditions = {}): Conditions => ({
  delayMs: 50,
  loss: { kind: 'random', probability },
  ...over,
});

/** Each named network, and what a viewer of one to three simulcast cameras has of it. */
export const trials: readonly Trial[] = [
  {
    name: 'steps',
    says: 'Two cameras; the capacity falls from 3 to 0.5 Mbit/s and comes back.',
    publishers: two,
    down: path(3_000_000),
    steps: [
      { atS: 20, down: path(500_000) },
      { atS: 40, down: path(3_000_000) },
    ],
    durationS: 65,
    limits: { findsCapacityWithinS: 5, longestGapMs: 1_000 },
  },
  {
    name: 'third',
    says: 'Two cameras; the capacity falls to a third.',
    publishers: two,
    down: path(3_000_000),
    steps: [{ atS: 20, down: path(1_000_000) }],
    durationS: 40,
    limits: { queueSettlesWithinS: 2, longestGapMs: 1_000 },
  },
  {
    name: 'competing flow',
    says: 'Three cameras over 3 Mbit/s; a TCP download comes at 15 s and goes at 35 s.',
    publishers: three,
    down: path(3_000_000),
    competitor: { fromS: 15, untilS: 35 },
    durationS: 50,
  },
  {
    name: 'late joiner',
    says: 'One joins a call of three cameras over 2 Mbit/s, ten seconds after the others.',
    publishers: three,
    down: path(2_000_000),
    viewerJoinsAtS: 10,
    durationS: 30,
    limits: { findsCapacityWithinS: 5 },
  },
  {
    name: 'congested dsl',
    says: 'One camera over 1 Mbit/s with a queue of a second, half of it taken by a download from 10 s on.',
    publishers: [person],
    down: path(1_000_000, { queueBytes: 125_000 }),
    competitor: { fromS: 10, untilS: 30 },
    durationS: 40,
  },
  {
    name: 'satellite',
    says: 'One camera over 5 Mbit/s with 600 ms of round trip and 1 % of loss.',
    publishers: [person],
    down: { delayMs: 300, jitterMs: 10, rateBps: 5_000_000, loss: { kind: 'random', probability: 0.01 } },
    durationS: 30,
  },
  {
    name: 'wifi',
    says: 'Three cameras over 30 Mbit/s that jitter and lose half a per cent.',
    publishers: three,
    down: { delayMs: 8, jitterMs: 4, rateBps: 30_000_000, loss: { kind: 'random', probability: 0.005 } },
    durationS: 30,
    limits: { longestGapMs: 500 },
  },
  {
    name: 'lte',
    says: 'Three cameras over 20 Mbit/s with 60 ms of round trip.',
    publishers: three,
    down: { delayMs: 30, jitterMs: 10, rateBps: 20_000_000, loss: { kind: 'random', probability: 0.002 } },
    durationS: 30,
    limits: { longestGapMs: 500 },
  },
  ...[0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7].map(
    (probability): Trial => ({
      name: `${Math.round(probability * 100)} % of loss`,
      says: 'One camera, 100 ms of round trip, packets lost at random.',
      publishers: [person],
      down: loses(probability),
      up: { delayMs: 50 },
      durationS: 30,
      ...(probability <= 0.1 ? { limits: { fps: 25, longestGapMs: 500 } } : {}),
    }),
  ),
  {
    name: '10 % of loss in bursts',
    says: 'One camera, 100 ms of round trip, four packets lost in a row on the mean.',
    publishers: [person],
    down: { delayMs: 50, loss: { kind: 'bursts', toBad: 0.028, toGood: 0.25, lossInBad: 1 } },
    up: { delayMs: 50 },
    durationS: 30,
  },
];
