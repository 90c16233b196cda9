import { createHash, randomBytes } from 'node:crypto';

/** New in every process: equal texts look equal within one log, and nobody can look them up in a table. */
const salt = randomBytes(16);

/** Stands for a secret or personal text in logs: `redacted:` and a short mark, equal for equal texts of one process. */
export function redact(text: string): string {
  if (text === '') return text;
  return `redacted:${createHash('sha256').update(salt).update(text).digest('hex').slice(0, 8)}`;
}

/** Secrets, and what tells who or where a client is. A process's own addresses are no secret to its operator. */
const SENSITIVE_NAME =
  /(token|secret|password|passphrase|sdp|candidate|privatekey|apikeys|authorization|remote|(remote|client|peer)(address|ip|url))$/i;
const DEEPEST = 8;

/** A copy of `fields` in which every text under a sensitive name is redacted, however deep it stands. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, redactField(name, value, 0)]));
}

function redactField(name: string, value: unknown, depth: number): unknown {
  const sensitive = SENSITIVE_NAME.test(name);
  if (typeof value === 'string') return sensitive ? redact(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return 'too deep';
  if (value instanceof Error) return errorFields(value, depth);
  if (Array.isArray(value)) return value.map((item) => redactField(name, item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redactField(sensitive ? name : key, item, depth + 1)]),
  );
}

function errorFields(error: Error, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = { name: error.name, message: error.message };
  if ('code' in error) out.code = error.code;
  if (error.stack !== undefined) out.stack = error.stack;
  if (error.cause !== undefined) out.cause = redactField('cause', error.cause, depth + 1);
  return out;
}
