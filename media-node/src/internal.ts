/** What tests and simulations look at beside the first door. */
export * from './index.ts';
export * from './packet-path/manual-path.ts';
export * from './reconcile/session-table.ts';
