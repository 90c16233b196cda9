/** What tests and simulations look at beside the first door. */
export * from './index.ts';
export * from './reconcile/session-table.ts';
