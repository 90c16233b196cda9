import { type CryptoKey, SignJWT } from 'jose';
import type { VideoGrant } from './claims.ts';

export interface TokenRequest {
  readonly apiKey: string;
  readonly secret: string;
  /** Absent for a token that only administers. */
  readonly identity?: string;
  readonly name?: string;
  readonly metadata?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly kind?: string;
  readonly video: VideoGrant;
  /** Begins to be valid now; in milliseconds since 1970. */
  readonly nowMs: number;
  readonly lifetimeS: number;
}

/** A new access token, as the SDKs and the server API take it. */
export async function makeToken(request: TokenRequest): Promise<string> {
  const { apiKey, identity, name, metadata, attributes, kind, video, nowMs, lifetimeS } = request;
  const nowS = Math.floor(nowMs / 1000);
  return signClaims(await importSecret(request.secret), {
    iss: apiKey,
    nbf: nowS,
    exp: nowS + lifetimeS,
    video,
    ...(identity === undefined ? {} : { sub: identity }),
    ...(name === undefined ? {} : { name }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(kind === undefined ? {} : { kind }),
  });
}

/** Signs claims as they are (HS256). */
export function signClaims(secret: CryptoKey, claims: Readonly<Record<string, unknown>>): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret);
}

/** The secret of an API key as HS256 uses it. */
export function importSecret(secret: string): Promise<CryptoKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['sign', 'verify']);
}
