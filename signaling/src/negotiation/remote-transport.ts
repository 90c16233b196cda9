import type { Fingerprint, IceCredentials, SessionSpec } from '@sluice/contracts';
import type { Section, Setup } from '@sluice/sdp';
import { type Refusal, refuse } from './refusal.ts';

export type DtlsRole = SessionSpec['dtlsRole'];

/** How the client is reached and recognised. */
export interface RemoteTransport {
  readonly credentials: IceCredentials;
  readonly fingerprints: readonly Fingerprint[];
  readonly setup: Setup | undefined;
}

/** SessionSpec has room for as many; clients send one. */
const MAX_FINGERPRINTS = 8;

/**
 * The transport that all `bundled` sections share: what the first of them says (RFC 9143 §7.3.1), or, when that one is
 * silent because another section's transport was in use before, the first that speaks.
 */
export function readRemoteTransport(bundled: readonly Section[]): RemoteTransport | Refusal {
  const { transport } = bundled.find((section) => section.transport.ice) ?? {};
  if (!transport?.ice) return refuse('no-ice-credentials', 'no bundled section has ice-ufrag and ice-pwd');
  const fingerprints = transport.fingerprints.flatMap(({ algorithm, value }): Fingerprint[] =>
    algorithm === 'sha-256' || algorithm === 'sha-384' || algorithm === 'sha-512' ? [{ algorithm, value }] : [],
  );
  if (fingerprints.length === 0) {
    return refuse('no-fingerprint', 'no fingerprint with sha-256, sha-384 or sha-512');
  }
  return {
    credentials: transport.ice,
    fingerprints: fingerprints.slice(0, MAX_FINGERPRINTS),
    setup: transport.setup,
  };
}

export const isRestart = (before: RemoteTransport | undefined, now: RemoteTransport): boolean =>
  before !== undefined &&
  (before.credentials.usernameFragment !== now.credentials.usernameFragment ||
    before.credentials.password !== now.credentials.password);

/**
 * Our role as answerer (RFC 8842 §5.3). `standing`: the one we have, or would like when the client leaves it to us.
 * An offer that says nothing means active (RFC 4145 §4).
 */
export function answeringRole(setup: Setup | undefined, standing: DtlsRole): DtlsRole {
  if (setup === 'active' || setup === undefined) return 'server';
  return setup === 'passive' ? 'client' : standing;
}

/** Our role as offerer of `actpass`: the answer must choose (RFC 8842 §5.3). */
export function offeringRole(setup: Setup | undefined): DtlsRole | undefined {
  if (setup === 'active') return 'server';
  return setup === 'passive' ? 'client' : undefined;
}

export const setupOf = (role: DtlsRole): Setup => (role === 'server' ? 'passive' : 'active');
