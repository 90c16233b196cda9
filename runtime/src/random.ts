import { randomBytes } from 'node:crypto';

/** Gives `bytes` random bytes. */
export type RandomBytes = (bytes: number) => Uint8Array;

/** Cryptographically strong. */
export const systemRandom: RandomBytes = (bytes) => randomBytes(bytes);

/** The same bytes for the same seed, on every machine: for tests and simulations, never for secrets. */
export function seededRandom(seed: number): RandomBytes {
  const next = xorshift128(seed);
  return (bytes) => {
    const out = new Uint8Array(bytes);
    for (let i = 0; i < bytes; i++) out[i] = next() >>> 24;
    return out;
  };
}

/** A number in [0, 1) with 32 bits of `random` in it. */
export function uniform(random: RandomBytes): number {
  const [a = 0, b = 0, c = 0, d = 0] = random(4);
  return (a * 0x100_0000 + b * 0x1_0000 + c * 0x100 + d) / 0x1_0000_0000;
}

/** Marsaglia, "Xorshift RNGs" (2003), §3: period 2^128 − 1. Seeded through splitmix32, so that 0 and 1 differ. */
function xorshift128(seed: number): () => number {
  let mixed = seed | 0;
  const splitmix = (): number => {
    mixed = (mixed + 0x9e37_79b9) | 0;
    let z = Math.imul(mixed ^ (mixed >>> 16), 0x21f0_aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
    return z ^ (z >>> 15);
  };
  let [x, y, z, w] = [splitmix(), splitmix(), splitmix(), splitmix() | 1];
  return () => {
    const t = x ^ (x << 11);
    [x, y, z] = [y, z, w];
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8);
    return w;
  };
}
