/** What tests and simulations look at beside the first door. */
export * from './index.ts';
export * from './messages/wire.ts';
export * from './negotiation/index.ts';
export type { ClientInput, ClientLink, HttpRefusal, TokenSigner } from './ports.ts';
export * from './sessions.ts';
export { KeyRing } from './tokens/key-ring.ts';
export { admit, type ConnectTarget } from './websocket/admission.ts';
