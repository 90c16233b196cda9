/** Why a client's description cannot be taken. */
export const refusals = [
  /** Not SDP at all, or past the bounds of what we read. */
  'unreadable',
  'too-many-sections',
  /** Sections without a `mid`, with a bad one, or with one used twice. */
  'bad-mid',
  /** A section changed its place, its mid or its kind (RFC 8829 §5.3.1). */
  'sections-changed',
  /** No section that we could take: all rejected, none bundled. */
  'nothing-to-negotiate',
  /** Neither session nor section says `ice-ufrag` and `ice-pwd` (RFC 8839 §5.4). */
  'no-ice-credentials',
  /** Both ends lite: nobody would check. */
  'ice-lite-peer',
  /** No fingerprint with a hash we take: SHA-256 and longer (RFC 8122 §5). */
  'no-fingerprint',
  /** `a=setup` that cannot stand where it stands (RFC 8842 §5). */
  'bad-setup',
  /** An answer to no offer of ours. */
  'no-offer',
] as const;
export type RefusalReason = (typeof refusals)[number];

/** A client's description that cannot be taken. Nothing has changed. */
export interface Refusal {
  readonly ok: false;
  readonly reason: RefusalReason;
  /** What exactly is wrong, for people: never holds parts of the description longer than a token. */
  readonly detail: string;
}

export const refuse = (reason: RefusalReason, detail: string): Refusal => ({ ok: false, reason, detail });
