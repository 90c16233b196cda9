import type { Identity } from '@sluice/contracts';
import { type ConnectRequest, parseConnectRequest } from '../messages/connect-request.ts';
import type { HttpRefusal } from '../ports.ts';
import { type Grants, joinGrants } from '../tokens/claims.ts';
import type { KeyRing } from '../tokens/key-ring.ts';
import type { TokenRefusal } from '../tokens/verify.ts';

/** What a client asked for, as far as HTTP says it. */
export interface ConnectTarget {
  /** `v1` has nothing but the form with a `join_request`. */
  readonly route: 'v0' | 'v1';
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

export type Admission =
  | { readonly ok: true; readonly request: ConnectRequest; readonly grants: Grants }
  | { readonly ok: false; readonly refusal: HttpRefusal };

const LONGEST_IDENTITY_CHARACTERS = 256;

/** Whether a client may connect: the same answer before a WebSocket opens and at its `validate` route. */
export async function admit({ route, query, authorization }: ConnectTarget, keys: KeyRing): Promise<Admission> {
  const verified = await keys.verify(tokenOf(query, authorization));
  if (!verified.ok) return refuse(401, `invalid token: ${tokenTexts[verified.reason]}`);
  const joining = joinGrants(verified.claims);
  if (!joining.ok)
    return joining.reason === 'no-room-join'
      ? refuse(403, 'the token does not let its bearer join a room')
      : refuse(400, `the token names ${joining.reason === 'no-room' ? 'no room' : 'no identity'}`);
  const parsed = parseConnectRequest(query, route === 'v1');
  if (!parsed.ok) return refuse(400, requestTexts[parsed.reason]);
  const { request } = parsed;
  return request.publishAs === ''
    ? { ok: true, request, grants: joining.grants }
    : publishingAs(request, joining.grants);
}

/** A second connection of one participant, which only publishes. */
function publishingAs(request: ConnectRequest, grants: Grants): Admission {
  if (!grants.permissions.canPublish) return refuse(403, 'the token does not let its bearer publish');
  const identity = `${grants.identity}#${request.publishAs}`;
  if (identity.length > LONGEST_IDENTITY_CHARACTERS) return refuse(400, 'the identity is too long');
  const permissions = { ...grants.permissions, canSubscribe: false };
  return { ok: true, request, grants: { ...grants, identity: identity as Identity, permissions } };
}

/** Browsers cannot set headers, other clients should. */
function tokenOf(query: URLSearchParams, authorization: string | undefined): string {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  return bearer ?? query.get('access_token') ?? '';
}

const refuse = (status: HttpRefusal['status'], text: string): Admission => ({ ok: false, refusal: { status, text } });

const tokenTexts: Readonly<Record<TokenRefusal, string>> = {
  missing: 'none was given',
  malformed: 'it is not a JWT signed with HS256',
  'unknown-key': 'nobody here knows the API key that issued it',
  'bad-signature': 'its signature is wrong',
  expired: 'it has expired',
  'not-yet-valid': 'it is not valid yet',
  'bad-claims': 'its claims are wrong or incomplete',
};

const requestTexts = {
  'no-join-request': 'the parameter join_request is missing',
  'bad-join-request': 'the parameter join_request cannot be read',
  'bad-participant': 'the participant to resume is no participant id',
  'bad-attributes': 'the parameter attributes cannot be read',
} as const;
