import type { NetworkName } from '../network/networks.ts';
import type { ParticipantPlan, Scenario } from '../scenario/scenario.ts';

/** Calls in which nothing happens but what networks do. */

export const camera = { kind: 'video', bitrateBps: 600_000 } as const;
export const smallCamera = {
  kind: 'video',
  bitrateBps: 150_000,
  framesPerSecond: 15,
  widthPx: 320,
  heightPx: 180,
} as const;
export const microphone = { kind: 'audio' } as const;
export const both = { mic: microphone, cam: camera } as const;

const two = (network: NetworkName, over: Partial<ParticipantPlan> = {}): ParticipantPlan[] =>
  ['ann', 'bob'].map((identity) => ({ identity, network, publishes: both, ...over }));

const ten = (network: NetworkName): ParticipantPlan[] =>
  Array.from({ length: 10 }, (_, index) => ({
    identity: `p${index}`,
    network,
    // Half of the world has two peer connections.
    mode: index % 2 === 0 ? 'single' : 'dual',
    joinsAtS: index * 0.1,
    publishes: { mic: microphone, cam: smallCamera },
  }));

export const calls: readonly Scenario[] = [
  {
    name: 'two on a perfect network lose nothing',
    participants: two('perfect'),
    durationS: 6,
    expect: { framesShown: 1, concealed: 0, longestGapMs: 80, sessions: 2 },
  },
  {
    name: 'two in dual mode on a perfect network lose nothing',
    participants: two('perfect', { mode: 'dual' }),
    durationS: 6,
    expect: { framesShown: 1, concealed: 0, longestGapMs: 80, sessions: 4 },
  },
  {
    name: 'two over wifi',
    participants: two('wifi'),
    durationS: 10,
    expect: { framesShown: 0.99, concealed: 0.03, longestGapMs: 250 },
  },
  {
    name: 'two over lte',
    participants: two('lte'),
    durationS: 10,
    expect: { framesShown: 0.99, concealed: 0.03, longestGapMs: 350 },
  },
  {
    name: 'two over a cellular network that loses in bursts',
    participants: two('cellular'),
    durationS: 12,
    expect: { framesShown: 0.97, concealed: 0.1 },
  },
  {
    name: 'two over five per cent of loss each way: repair brings 99 of 100 frames',
    participants: ['ann', 'bob'].map((identity) => {
      const way = { delayMs: 20, jitterMs: 3, loss: { kind: 'random', probability: 0.05 } } as const;
      return { identity, network: { up: way, down: way }, publishes: both };
    }),
    durationS: 15,
    expect: { framesShown: 0.99 },
  },
  {
    name: 'two over ten per cent of loss each way still see each other',
    participants: two('lossy'),
    durationS: 15,
    expect: { framesShown: 0.98 },
  },
  {
    name: 'two by satellite: what cannot be repaired in time costs a key frame from far away',
    participants: two('satellite'),
    durationS: 15,
    expect: { framesShown: 0.6, flowsWithinS: 4 },
  },
  {
    name: 'ten over wifi, in both modes, on two shards',
    shards: 2,
    participants: ten('wifi'),
    durationS: 6,
    expect: { framesShown: 0.95 },
  },
  {
    name: 'ten over lte, in both modes, on four shards',
    shards: 4,
    participants: ten('lte'),
    durationS: 6,
    expect: { framesShown: 0.95 },
  },
];
