import { anyScope, type BusDocument, type Scope } from '../bus.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

export const encodeDocument = (document: BusDocument): Uint8Array => Buffer.from(JSON.stringify(document), 'utf8');

/** undefined: not a document. What its body must be is the kind's business. */
export function decodeDocument(payload: Uint8Array): BusDocument | undefined {
  const value = decodeJson(payload);
  if (typeof value !== 'object' || value === null || !('body' in value)) return undefined;
  const { kind, scope, key, writer, epoch, generation, body } = value as Readonly<Record<string, unknown>>;
  if (typeof kind !== 'string' || typeof scope !== 'string' || typeof key !== 'string') return undefined;
  if (typeof writer !== 'string' || !isCount(epoch) || !isCount(generation)) return undefined;
  return { kind, scope, key, writer, epoch, generation, body };
}

export const encodeQuestion = (scope: Scope): Uint8Array =>
  Buffer.from(JSON.stringify(scope === anyScope ? {} : { scope }), 'utf8');

/** The scope that was asked; undefined: not a question. */
export function decodeQuestion(payload: Uint8Array): Scope | undefined {
  const value = decodeJson(payload);
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('scope' in value)) return anyScope;
  return typeof value.scope === 'string' ? value.scope : undefined;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function decodeJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(payload));
  } catch {
    return undefined;
  }
}
