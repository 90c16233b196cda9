import { type CryptoKey, decodeJwt, errors, jwtVerify } from 'jose';
import { Claims } from './claims.ts';

/** How far clocks of issuers and servers may be apart. The stock server allows the same minute. */
const LEEWAY_S = 60;
/** Longer than any token with 512 KiB of metadata that an HTTP header could carry. */
const LONGEST_TOKEN_CHARACTERS = 64 * 1024;

export type TokenRefusal =
  | 'missing'
  | 'malformed'
  | 'unknown-key'
  | 'bad-signature'
  | 'expired'
  | 'not-yet-valid'
  | 'bad-claims';

export type VerifiedToken =
  | { readonly ok: true; readonly claims: Claims }
  | { readonly ok: false; readonly reason: TokenRefusal };

/** The secret of an API key; undefined: nobody has that key. */
export type SecretOf = (apiKey: string) => Promise<CryptoKey> | undefined;

/** Checks an access token: HS256 under the secret of the key that issued it, in time, with claims of the right shape. */
export async function verifyToken(token: string, secretOf: SecretOf, nowMs: number): Promise<VerifiedToken> {
  if (token === '') return { ok: false, reason: 'missing' };
  if (token.length > LONGEST_TOKEN_CHARACTERS) return { ok: false, reason: 'malformed' };
  const key = issuer(token);
  if (key === undefined) return { ok: false, reason: 'malformed' };
  const secret = secretOf(key);
  if (secret === undefined) return { ok: false, reason: 'unknown-key' };
  try {
    const { payload } = await jwtVerify(token, await secret, {
      algorithms: ['HS256'],
      issuer: key,
      clockTolerance: LEEWAY_S,
      currentDate: new Date(nowMs),
      requiredClaims: ['exp'],
    });
    const claims = Claims.safeParse(payload);
    return claims.success ? { ok: true, claims: claims.data } : { ok: false, reason: 'bad-claims' };
  } catch (thrown) {
    return { ok: false, reason: refusalOf(thrown) };
  }
}

function issuer(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

function refusalOf(thrown: unknown): TokenRefusal {
  if (thrown instanceof errors.JWTExpired) return 'expired';
  if (thrown instanceof errors.JWTClaimValidationFailed) return thrown.claim === 'nbf' ? 'not-yet-valid' : 'bad-claims';
  if (thrown instanceof errors.JWSSignatureVerificationFailed) return 'bad-signature';
  return 'malformed';
}
