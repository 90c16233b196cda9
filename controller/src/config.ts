import { z } from 'zod';

/** Configuration of a controller. `sluice config` shows the effective one. */
export const ControllerConfig = z.strictObject({
  rooms: z
    .strictObject({
      emptyTimeoutS: z
        .int()
        .min(0)
        .max(86_400 * 365)
        .default(300)
        .describe('A room that nobody ever entered ends after this long.'),
      departureTimeoutS: z
        .int()
        .min(0)
        .max(86_400 * 365)
        .default(20)
        .describe('A room that everybody left ends after this long, so that whoever drops out finds it again.'),
      maxParticipants: z
        .int()
        .min(0)
        .max(20_000)
        .default(0)
        .describe('Participants that a room takes; recorders, agents and hidden ones do not count. 0: no limit.'),
    })
    .prefault({})
    .describe('What rooms allow and how long they live.'),
});
export type ControllerConfig = z.infer<typeof ControllerConfig>;
