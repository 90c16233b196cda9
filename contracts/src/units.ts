/**
 * Units stand in names (`Us Ms Bps Bytes Px`). These types say the same to the reader of a signature.
 * They are plain numbers: arithmetic stays arithmetic.
 */

/** A point or a span on the monotonic clock that the caller gives, in microseconds. */
export type TimeUs = number;
/** Milliseconds since 1970-01-01 UTC. Shown to people and to clients; never used to measure. */
export type UnixMs = number;
/** Bits per second. */
export type Bps = number;

export const US_PER_MS = 1_000;
export const US_PER_S = 1_000_000;
