import { AppError } from '@sluice/runtime';

/** Every error of the way to NATS. */

export const natsWantsCredentials = (cause: unknown): AppError =>
  new AppError('BUS_WANTS_CREDENTIALS', 'NATS wants credentials, and none are configured', {
    advice: 'Set bus.user and bus.password, bus.token, bus.credentialsFile or bus.nkeyFile.',
    cause,
  });

export const natsRefusesCredentials = (cause: unknown): AppError =>
  new AppError('BUS_REFUSES_CREDENTIALS', 'NATS refuses the configured credentials', {
    advice: "Compare them with NATS' own configuration.",
    cause,
  });
