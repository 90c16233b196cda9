const UNITS_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Reads `6h`, `30m`, `90s`, `2d` or a plain number of seconds; undefined: it is none. */
export function lifetimeS(text: string): number | undefined {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)([smhd])?$/.exec(text.trim()) ?? [];
  if (amount === undefined) return undefined;
  const seconds = Number(amount) * (UNITS_S[unit] ?? 1);
  return seconds >= 1 ? Math.floor(seconds) : undefined;
}
