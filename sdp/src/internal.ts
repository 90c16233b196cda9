/** For tests. */
export { readCandidate } from './attributes.ts';
export { readTestDescription, testDescriptionNames } from './test-descriptions.ts';
