/** A timer that has not fired; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as the processes see it. The only door to the real clock is `systemClock` in this package; simulations and
 * tests give a virtual one.
 */
export interface Clock {
  /** Monotonic, in microseconds, from an arbitrary start. */
  nowUs(): number;
  /** Wall clock, in milliseconds since 1970-01-01 UTC. For people and for clients, never for measuring. */
  unixMs(): number;
  /** Calls `fire` once, `afterUs` microseconds from now. */
  setTimer(afterUs: number, fire: () => void): Timer;
}
