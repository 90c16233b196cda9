import { SignJWT } from 'jose';
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
export function makeToken(request: TokenRequest): Promise<string> {
  const { apiKey, secret, identity, name, metadata, attributes, kind, video, nowMs, lifetimeS } = request;
  const nowS = Math.floor(nowMs / 1000);
  return signClaims(secret, {
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
export function signClaims(secret: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(secret));
}
