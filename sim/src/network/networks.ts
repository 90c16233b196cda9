import type { Conditions } from './link.ts';

/** A client's access network: from it (up) and to it (down). */
export interface AccessNetwork {
  readonly up: Conditions;
  readonly down: Conditions;
}

const both = (conditions: Conditions): AccessNetwork => ({ up: conditions, down: conditions });

/**
 * Named networks for scenarios. Delays are one way. The numbers are round ones in the range of what access networks
 * are known for; a scenario that needs others says so itself.
 */
export const networks = {
  perfect: both({}),
  lan: both({ delayMs: 1, rateBps: 1_000_000_000 }),
  wifi: both({ delayMs: 8, jitterMs: 4, rateBps: 30_000_000, loss: { kind: 'random', probability: 0.005 } }),
  lte: {
    up: { delayMs: 30, jitterMs: 10, rateBps: 8_000_000, loss: { kind: 'random', probability: 0.002 } },
    down: { delayMs: 30, jitterMs: 10, rateBps: 20_000_000, loss: { kind: 'random', probability: 0.002 } },
  },
  cellular: both({
    delayMs: 60,
    jitterMs: 25,
    rateBps: 3_000_000,
    loss: { kind: 'bursts', toBad: 0.005, toGood: 0.25, lossInBad: 0.6 },
  }),
  satellite: both({ delayMs: 300, jitterMs: 10, rateBps: 5_000_000, loss: { kind: 'random', probability: 0.01 } }),
  dsl: {
    up: { delayMs: 15, jitterMs: 3, rateBps: 1_000_000 },
    down: { delayMs: 15, jitterMs: 3, rateBps: 12_000_000 },
  },
  lossy: both({ delayMs: 25, jitterMs: 5, loss: { kind: 'random', probability: 0.1 } }),
  partition: both({ down: true }),
} as const satisfies Record<string, AccessNetwork>;

export type NetworkName = keyof typeof networks;
