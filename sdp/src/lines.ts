import type { ParseLimits, Unparsed } from './parse.ts';

/** `a=mid:0` is type `a`, name `mid`, value `0`. Other lines have no name. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly type: string;
  readonly name: string;
  readonly value: string;
}

/** Cuts a description into lines (RFC 8866 §5): LF or CRLF, empty ones at the end allowed. */
export function readLines(text: string, limits: ParseLimits): Line[] | Unparsed {
  if (text.length > limits.maxLength) return { ok: false, reason: 'too-large', line: 0, what: '' };
  const lines: Line[] = [];
  let start = 0;
  let number = 0;
  while (start < text.length) {
    const end = text.indexOf('\n', start);
    const stop = end < 0 ? text.length : end;
    const content = text.slice(start, text[stop - 1] === '\r' && stop > start ? stop - 1 : stop);
    start = stop + 1;
    number += 1;
    if (content.length > limits.maxLineLength) return { ok: false, reason: 'line-too-long', line: number, what: '' };
    if (content === '') continue;
    if (content[1] !== '=' || holdsControlCharacter(content)) {
      return { ok: false, reason: number === 1 ? 'not-sdp' : 'malformed', line: number, what: '' };
    }
    lines.push(readLine(content, number));
  }
  return lines;
}

function readLine(content: string, number: number): Line {
  const type = content.charAt(0);
  if (type !== 'a') return { number, type, name: '', value: content.slice(2).trim() };
  const colon = content.indexOf(':');
  if (colon < 0) return { number, type, name: content.slice(2).trim(), value: '' };
  return { number, type, name: content.slice(2, colon), value: content.slice(colon + 1).trim() };
}

function holdsControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x7f || (code < 0x20 && code !== 0x09)) return true;
  }
  return false;
}
