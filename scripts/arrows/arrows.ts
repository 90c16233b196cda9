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
  // The only one that may load the processes: it starts them.
  cli: ['contracts', 'runtime', 'bus', 'signaling', 'controller', 'media-node'],
  demo: [],
  sim: ['bus', 'contracts', 'controller', 'media-node', 'packet-path', 'runtime', 'sdp', 'signaling'],
  interop: [],
  bench: ['contracts', 'packet-path', 'runtime'],
  scripts: [],
};

/** Whose `/internal` door (for tests of the package itself and of what steps its parts by hand) others may use. */
export const internalDoors: Readonly<Record<string, readonly string[]>> = {
  sim: Object.keys(packageArrows),
};

/** The packet path's C++ folders: who may include whom. `core/*` stands for each module of the core. */
export const nativeArrows: Readonly<Record<string, readonly string[]>> = {
  'core/wire': [],
  'core/packet': ['core/wire'],
  /** Modules do not include each other; what joins them is the session and the shard. */
  'core/*': ['core/wire', 'core/packet', 'core'],
  /** Files directly in core/: the nouns, the ports, the session, the shard. */
  core: ['core/*'],
  peer: ['core', 'core/*'],
  io: ['core', 'core/*'],
  binding: ['io', 'core', 'core/*', 'peer'],
  test: ['*'],
  fuzz: ['*'],
};

/** Of the files directly in core/, these are nouns that its modules may use too; the others join modules. */
export const nativeNouns: readonly string[] = ['core/spec.h', 'core/ports.h', 'core/events.h'];
