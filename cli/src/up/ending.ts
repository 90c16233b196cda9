import type { Logger } from '@sluice/runtime';
import type { World } from './world.ts';

/** Whoever does not end by then is left behind with the process. */
const CLOSE_WITHIN_US = 5_000_000;

/** Closes what runs, for so long and no longer. */
export async function closeInTime({ clock, logger }: World, close: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = clock.setTimer(CLOSE_WITHIN_US, () => {
    logger.warn('close.late', { afterMs: CLOSE_WITHIN_US / 1_000 });
    late.resolve();
  });
  await Promise.race([close(), late.promise]);
  timer.cancel();
}

/** A defect that nobody caught leaves the process in a state that nobody knows: it ends, and says why. */
export function brokenOf(logger: Logger): Promise<never> {
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  process.once('uncaughtException', (error) => {
    logger.error('process.broken', { problem: error });
    broken.reject(error);
  });
  return broken.promise;
}
