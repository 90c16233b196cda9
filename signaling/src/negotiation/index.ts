/** What the client can × what the room wants → descriptions, and what of the session's spec follows from them. */
export { carriedMimeTypes } from './formats.ts';
export { PublisherNegotiation } from './publisher.ts';
export { type Refusal, type RefusalReason, refusals } from './refusal.ts';
export { SubscriberNegotiation } from './subscriber.ts';
export * from './terms.ts';
