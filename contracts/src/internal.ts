/** Samples of documents, for tests. */
export * from './index.ts';
export * from './samples.ts';
