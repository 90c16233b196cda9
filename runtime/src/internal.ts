/** What tests and simulations use instead of the real world. */
export * from './index.ts';
export * from './recording-logger.ts';
export * from './virtual-clock.ts';
