// @ts-check
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where the bootstrap keeps its stamps, its lock and the logs of its steps; never committed. */
export const stateFolder = `${root}build/bootstrap`;
