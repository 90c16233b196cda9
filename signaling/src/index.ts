export * from './config.ts';
export * from './main.ts';
export type { Pages, TlsIdentity } from './ports.ts';
export type { VideoGrant } from './tokens/claims.ts';
export { makeToken, type TokenRequest } from './tokens/make.ts';
