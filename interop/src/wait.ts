import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 100;

/**
 * Asks `probe` again and again until it gives something other than undefined or false; fails after `deadlineMs`, saying
 * what was waited for and what `seen` tells of the state then.
 */
export async function until<T>(
  what: string,
  deadlineMs: number,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  seen?: () => unknown,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= endMs) {
      const state = seen === undefined ? '' : `; last seen: ${JSON.stringify(await seen())}`;
      throw new Error(`not within ${deadlineMs} ms: ${what}${state}`);
    }
    await sleep(POLL_MS);
  }
}

/** Fails when `work` takes longer than `deadlineMs`. */
export async function within<T>(what: string, deadlineMs: number, work: Promise<T>): Promise<T> {
  const gaveUp = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: gaveUp.signal }).then(() => {
    throw new Error(`not within ${deadlineMs} ms: ${what}`);
  });
  // The loser of the race must not surface as an unhandled rejection.
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    gaveUp.abort();
  }
}

/** Lets a measured span of time pass: what a test observes over, never what it waits for. */
export async function observeFor(spanMs: number): Promise<void> {
  await sleep(spanMs);
}
