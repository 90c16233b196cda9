/** What tests and simulations look at beside the first door. */
export * from './fleet/self-signed-certificate.ts';
export * from './index.ts';
export * from './rooms/room.ts';
export * from './rooms/room-settings.ts';
export * from './rooms/view-parts.ts';
