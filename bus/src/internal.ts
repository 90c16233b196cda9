/** What tests and simulations use beside the first door. */
export * from './conformance.ts';
export * from './index.ts';
export * from './lease-table.ts';
