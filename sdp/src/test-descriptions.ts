import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../test-data/', import.meta.url);

/**
 * Real clients' offers: of browsers (`signaling/src/negotiation/browsers/capture-offers.ts` writes them) and the first
 * ones of @livekit/rtc-node 1.1.0 in both modes.
 */
export const testDescriptionNames = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.sdp'))
    .map((name) => name.slice(0, -'.sdp'.length));

export const readTestDescription = (name: string): string => readFileSync(new URL(`${name}.sdp`, folder), 'utf8');
