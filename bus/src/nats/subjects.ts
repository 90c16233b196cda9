import { createHash } from 'node:crypto';
import { anyScope, type Scope } from '../bus.ts';

/** A scope of this length or less stands in the subject as text or Base64; NATS takes 4 KiB for a whole line. */
const READABLE_BYTES = 96;

/**
 * A scope as one token of a NATS subject, whatever characters it holds: itself when it is plain, else `=` and its
 * Base64url, and when that would be long `~` and its SHA-256. Readers compare the scope in the document too.
 */
export function scopeToken(scope: string): string {
  if (/^[A-Za-z0-9_-]{1,96}$/.test(scope)) return scope;
  const bytes = Buffer.from(scope, 'utf8');
  if (bytes.length <= READABLE_BYTES) return `=${bytes.toString('base64url')}`;
  return `~${createHash('sha256').update(bytes).digest('base64url')}`;
}

/** The subjects of one cloud's bus; `prefix` tells clouds apart that share a NATS. See docs/protocols/nats.md. */
export class Subjects {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Where a document is said. */
  document(kind: string, scope: string): string {
    return `${this.#prefix}.doc.${kind}.${scopeToken(scope)}`;
  }

  /** What a reader of documents listens to. */
  documents(kind: string, scope: Scope): string {
    return scope === anyScope ? `${this.#prefix}.doc.${kind}.*` : this.document(kind, scope);
  }

  /** Where a question is asked. */
  question(kind: string, scope: Scope): string {
    return scope === anyScope ? `${this.#prefix}.ask-all.${kind}` : `${this.#prefix}.ask.${kind}.${scopeToken(scope)}`;
  }

  /** What a writer of documents listens to. */
  questions(kind: string, scope: Scope): readonly [own: string, all: string] {
    const own = scope === anyScope ? `${this.#prefix}.ask.${kind}.*` : this.question(kind, scope);
    return [own, this.question(kind, anyScope)];
  }
}
