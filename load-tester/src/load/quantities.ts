import { AppError } from '@sluice/runtime';

/** What people write on a command line, as numbers. Whatever is wrong is thrown as one sentence that names `what`. */

export const badQuantity = (what: string, text: string, example: string): AppError =>
  new AppError('LOAD_BAD_QUANTITY', `${what} is "${text}"; it must be ${example}.`);

function parse(what: string, text: string, units: Readonly<Record<string, number>>, example: string): number {
  const [, digits, unit] = /^(\d+(?:\.\d+)?) *([a-z%/]*)$/i.exec(text.trim()) ?? [];
  const factor = Object.entries(units).find(([name]) => name.toLowerCase() === unit?.toLowerCase())?.[1];
  if (digits === undefined || factor === undefined) throw badQuantity(what, text, example);
  return Number(digits) * factor;
}

const MOST_BPS = 1e10;

/** `1.5Mbps` → bits per second. */
export function bitrate(what: string, text: string): number {
  const example = 'a bitrate with its unit, from 1kbps to 10Gbps: 1.5Mbps or 300kbps';
  const value = Math.round(parse(what, text, { bps: 1, kbps: 1e3, Mbps: 1e6, Gbps: 1e9 }, example));
  if (value < 1e3 || value > MOST_BPS) throw badQuantity(what, text, example);
  return value;
}

const LONGEST_MS = 60_000;

/** `80ms`, `1.5s` → milliseconds. */
export function milliseconds(what: string, text: string): number {
  const example = 'a time with its unit, up to 1m: 80ms or 1.5s';
  const value = parse(what, text, { ms: 1, s: 1000, m: 60_000 }, example);
  if (value > LONGEST_MS) throw badQuantity(what, text, example);
  return value;
}

/** `5%`, `0.05` → 0 to 1. */
export function share(what: string, text: string): number {
  const example = 'a share from 0 to 100%: 5% or 0.05';
  const value = parse(what, text, { '%': 0.01, '': 1 }, example);
  if (value > 1) throw badQuantity(what, text, example);
  return value;
}

/** `20/min`, `1/s` → in a minute. */
export function perMinute(what: string, text: string): number {
  const example = 'a rate above 0: 20/min, 1/s or 100/h';
  const value = parse(what, text, { '/s': 60, '/min': 1, '/h': 1 / 60 }, example);
  if (value <= 0 || value > 60_000) throw badQuantity(what, text, example);
  return value;
}

/** `1280x720`. */
export function size(what: string, text: string): { widthPx: number; heightPx: number } {
  const [, width, height] = /^(\d{1,4})x(\d{1,4})$/i.exec(text.trim()) ?? [];
  const [widthPx, heightPx] = [Number(width), Number(height)];
  if (!(widthPx >= 16 && heightPx >= 16))
    throw badQuantity(what, text, 'width and height in pixels, from 16x16 to 9999x9999: 1280x720');
  return { widthPx, heightPx };
}

/** A whole number. */
export function count(what: string, text: string, least: number, most = 1_000_000): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw badQuantity(what, text, `a whole number from ${least} to ${most}`);
  return value;
}

export function number(what: string, text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw badQuantity(what, text, 'a number from 0 up');
  return Number(text);
}

/** One of some words. */
export const chosen =
  <T extends string>(words: readonly T[]) =>
  (what: string, text: string): T => {
    const word = words.find((one) => one === text);
    if (word === undefined) throw badQuantity(what, text, `one of ${words.join(', ')}`);
    return word;
  };
