export { Cloud, type CloudOptions } from './cloud/cloud.ts';
export type { SimClient, SimClientOptions } from './cloud/sim-client.ts';
export type { Conditions, Loss } from './network/link.ts';
export { type AccessNetwork, type NetworkName, networks } from './network/networks.ts';
export { type Outcome, runScenario } from './scenario/run.ts';
export type * from './scenario/scenario.ts';
