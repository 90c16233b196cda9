/**
 * Who may import whom (ARCHITECTURE.md). This table is the rule: what is not in it is a build error, type imports too.
 * Third-party packages are not its business; what a package may use of those is in its package.json.
 */
export const packageArrows: Readonly<Record<string, readonly string[]>> = {
  contracts: [],
  runtime: [],
  bus: ['runtime'],
  sdp: ['contracts'],
  'packet-path': ['contracts'],
  signaling: ['sdp', 'bus', 'contracts', 'runtime'],
  controller: ['bus', 'contracts', 'runtime'],
  'media-node': ['packet-path', 'bus', 'contracts', 'runtime'],
  'load-tester': ['sdp', 'packet-path', 'contracts', 'runtime'],
  // The only one that may load the processes: it starts them.
  cli: ['contracts', 'runtime', 'bus', 'signaling', 'controller', 'media-node', 'load-tester'],
  demo: [],
  sim: ['bus', 'contracts', 'controller', 'load-tester', 'media-node', 'packet-path', 'runtime', 'sdp', 'signaling'],
  interop: ['load-tester', 'bus', 'packet-path', 'contracts', 'runtime'],
  bench: ['load-tester', 'packet-path', 'contracts', 'runtime'],
  scripts: [],
};

/** Whose `/internal` door others may use; every test may. */
export const internalDoors: Readonly<Record<string, readonly string[]>> = {
  sim: Object.keys(packageArrows),
};

/**
 * The packet path's C++ folders: who may include whom. `core` is the nouns and ports directly in core/; the
 * other files there join modules, and are `shard`. `core/*` stands for each module of the core.
 */
export const nativeArrows: Readonly<Record<string, readonly string[]>> = {
  'core/wire': [],
  'core/packet': ['core/wire'],
  'core/crypto': ['core/wire'],
  core: ['core/wire', 'core/packet', 'core/crypto'],
  // Modules do not include each other: session and shard join them.
  'core/*': ['core/wire', 'core/packet', 'core/crypto', 'core'],
  // Seals packets straight into the burst that it writes.
  'core/send': ['core/wire', 'core/packet', 'core/crypto', 'core', 'core/srtp'],
  shard: ['core', 'core/*'],
  peer: ['core', 'core/*', 'shard'],
  io: ['core', 'core/*', 'shard'],
  // Clients on threads.
  swarm: ['peer', 'io', 'shard', 'core', 'core/*'],
  binding: ['io', 'shard', 'core', 'core/*', 'peer', 'swarm'],
  test: ['*'],
  fuzz: ['*'],
};

/** Of the files directly in core/, the nouns and ports that modules may use; the others join modules. */
export const nativeNouns = /^core\/(spec|ports|events|format|counters|snapshot|sender_clock)\.(h|cc)$/;
