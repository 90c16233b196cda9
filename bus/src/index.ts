export * from './bus.ts';
export * from './document-reader.ts';
export * from './document-writer.ts';
export * from './documents.ts';
export { type BusConditions, type HubCounters, type HubDropReason, hubDropReasons } from './exchange.ts';
export * from './in-process.ts';
export * from './lease-keeper.ts';
export { NatsConfig } from './nats/config.ts';
export * from './nats/nats-bus.ts';
