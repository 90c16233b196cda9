import type { Clock } from '@sluice/runtime';
import type { TokenSigner } from '../ports.ts';
import type { Claims } from './claims.ts';
import { signClaims } from './make.ts';
import { type ApiKeys, type VerifiedToken, verifyToken } from './verify.ts';

/** A refreshed token is good for as long as clients of the stock server expect: longer than two refreshes apart. */
const REFRESHED_FOR_S = 600;

/** Checks and signs tokens with the configured keys. */
export class KeyRing implements TokenSigner {
  readonly #keys: ApiKeys;
  readonly #clock: Clock;

  constructor(keys: ApiKeys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  verify(token: string): Promise<VerifiedToken> {
    return verifyToken(token, this.#keys, this.#clock.unixMs());
  }

  async refresh(claims: Claims): Promise<string | undefined> {
    const secret = Object.hasOwn(this.#keys, claims.iss) ? this.#keys[claims.iss] : undefined;
    if (secret === undefined) return undefined;
    const nowS = Math.floor(this.#clock.unixMs() / 1000);
    return signClaims(secret, { ...claims, nbf: nowS, exp: Math.max(claims.exp, nowS + REFRESHED_FOR_S) });
  }
}
