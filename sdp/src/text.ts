/** The small grammar that attributes share (RFC 8866 §9). */

const TOKEN = /^[\w!#$%&'*+.^`{|}~-]+$/;

export const isToken = (text: string): boolean => TOKEN.test(text);

/** Decimal digits and nothing else, at most `max`. */
export function decimal(text: string, max: number): number | undefined {
  if (!/^[0-9]{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

/** The text before and after the first `separator`; without one, all of it and nothing. */
export function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Words between spaces; more than one space is one. */
export const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** `text` when it is one of `all`. */
export function oneOf<T extends string>(all: readonly T[], text: string): T | undefined {
  return all.find((each) => each === text);
}
