import { calls } from './calls.ts';
import { incidents } from './incidents.ts';
import { testScenarios } from './testing.ts';

testScenarios(calls);
testScenarios(incidents);
