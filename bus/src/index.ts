export * from './bus.ts';
export * from './document-reader.ts';
export * from './document-writer.ts';
export * from './documents.ts';
export * from './in-process.ts';
export * from './lease-keeper.ts';
