import { availableParallelism, networkInterfaces } from 'node:os';
import type { Machine } from './ports.ts';

/** The machine that this process runs on. */
export const thisMachine: Machine = {
  cores: availableParallelism(),
  addresses: () =>
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map(({ address, family, internal }) => ({ address, family: family === 'IPv6' ? 6 : 4, loopback: internal })),
};
