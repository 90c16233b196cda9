/** What tests and simulations look at beside the first door: sessions without HTTP, on whatever clock they are given. */
export * from './documents.ts';
export * from './index.ts';
export * from './messages/connect-request.ts';
export * from './messages/wire.ts';
export * from './negotiation/index.ts';
export * from './ports.ts';
export * from './session/session-directory.ts';
export * from './tokens/claims.ts';
