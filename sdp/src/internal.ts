export { readCandidate } from './attributes.ts';
