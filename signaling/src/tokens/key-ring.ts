import type { Clock } from '@sluice/runtime';
import type { CryptoKey } from 'jose';
import type { TokenSigner } from '../ports.ts';
import type { Claims } from './claims.ts';
import { importSecret, signClaims } from './make.ts';
import { type VerifiedToken, verifyToken } from './verify.ts';

/** A refreshed token is good for as long as clients of the stock server expect: longer than two refreshes apart. */
const REFRESHED_FOR_S = 600;

/** Checks and signs tokens with the configured keys. */
export class KeyRing implements TokenSigner {
  /** API key → its secret, imported when it is first used: each join needs it twice. */
  readonly #secrets: ReadonlyMap<string, string>;
  readonly #imported = new Map<string, Promise<CryptoKey>>();
  readonly #clock: Clock;

  /** `keys`: API key → secret. */
  constructor(keys: Readonly<Record<string, string>>, clock: Clock) {
    this.#secrets = new Map(Object.entries(keys));
    this.#clock = clock;
  }

  verify(token: string): Promise<VerifiedToken> {
    return verifyToken(token, (apiKey) => this.#secretOf(apiKey), this.#clock.unixMs());
  }

  async refresh(claims: Claims): Promise<string | undefined> {
    const secret = this.#secretOf(claims.iss);
    if (secret === undefined) return undefined;
    const nowS = Math.floor(this.#clock.unixMs() / 1000);
    return signClaims(await secret, { ...claims, nbf: nowS, exp: Math.max(claims.exp, nowS + REFRESHED_FOR_S) });
  }

  #secretOf(apiKey: string): Promise<CryptoKey> | undefined {
    const known = this.#imported.get(apiKey);
    const secret = this.#secrets.get(apiKey);
    if (known !== undefined || secret === undefined) return known;
    const imported = importSecret(secret);
    this.#imported.set(apiKey, imported);
    return imported;
  }
}
