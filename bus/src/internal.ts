/** What tests and simulations use beside the first door. */
export * from './conformance.ts';
export * from './index.ts';
export * from './lease-table.ts';
export * from './nats/leases.ts';
export * from './nats/session.ts';
export * from './nats/subjects.ts';
export * from './nats/test-server.ts';
