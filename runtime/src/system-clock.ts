import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from './clock.ts';

/** Node's timers hold a signed 32-bit count of milliseconds; longer ones fire at once. */
const LONGEST_TIMEOUT_MS = 0x7fff_ffff;

/** The real clock. Timers keep the process alive: whoever sets one cancels it when it closes. */
export const systemClock: Clock = {
  nowUs: () => Math.round(performance.now() * 1_000),
  unixMs: () => Date.now(),
  setTimer: (afterUs, fire) => (afterUs <= 0 ? nextTurn(fire) : timeout(afterUs, fire)),
};

/** `setTimeout(0)` waits a millisecond; work that only must not re-enter its caller should not. */
function nextTurn(fire: () => void): Timer {
  const handle = setImmediate(fire);
  return { cancel: () => clearImmediate(handle) };
}

function timeout(afterUs: number, fire: () => void): Timer {
  const dueUs = systemClock.nowUs() + afterUs;
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const restMs = Math.max(1, Math.ceil((dueUs - systemClock.nowUs()) / 1_000));
    handle = setTimeout(() => (restMs > LONGEST_TIMEOUT_MS ? arm() : fire()), Math.min(restMs, LONGEST_TIMEOUT_MS));
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}
