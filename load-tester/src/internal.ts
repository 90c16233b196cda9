export * from './index.ts';
export { growth, isTable, sampleOf } from './load/server-watch.ts';
