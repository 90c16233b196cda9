import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fingerprint, IceCredentials } from '@sluice/contracts';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Video {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly midExtension: number;
  readonly transportCcExtension: number;
  readonly packetBytes: number;
  readonly framePackets: readonly number[];
}

export interface LoadClient {
  readonly server: Endpoint;
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
  readonly serverFingerprint: Fingerprint;
  readonly video?: Video;
  /** Wire id of the transport-wide sequence number about whose arrival it gives feedback; 0: none. */
  readonly feedbackExtension: number;
}

export interface SwarmReport {
  readonly clients: number;
  readonly connected: number;
  readonly ended: number;
  readonly receiving: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly unauthentic: number;
  readonly delayP50Us: number;
  readonly delayP99Us: number;
  readonly delayMaxUs: number;
  readonly cpuUs: number;
}

/** Clients on a thread of their own; see native/swarm.h. */
export interface Swarm {
  fingerprint(): string;
  add(client: LoadClient): void;
  openSinks(count: number): readonly Endpoint[];
  closeSinks(): void;
  startVideo(): void;
  stopVideo(): void;
  beginMeasurement(): void;
  report(): SwarmReport;
  close(): void;
}

export interface BareLimitOptions {
  readonly destinations: readonly Endpoint[];
  readonly framePackets: readonly number[];
  readonly packetBytes: number;
  readonly frameIntervalUs: number;
  readonly frames: number;
  readonly cpu: number;
}

export interface BareLimitResult {
  readonly packets: number;
  readonly cpuUs: number;
  readonly sealCpuUs: number;
  readonly sendCalls: number;
  readonly failures: number;
}

export interface LoadAddon {
  readonly Swarm: new (cpu: number) => Swarm;
  bareLimit(options: BareLimitOptions): Promise<BareLimitResult>;
}

/** Compiles the bench's addon where its sources are newer, and loads it. */
export function loadAddon(): LoadAddon {
  const folder = fileURLToPath(new URL('../native/', import.meta.url));
  const gyp = fileURLToPath(new URL('../../node_modules/node-gyp/bin/node-gyp.js', import.meta.url));
  const nodeFolder = dirname(dirname(process.execPath));
  const headers = existsSync(`${nodeFolder}/include/node/node_api.h`) ? { npm_config_nodedir: nodeFolder } : {};
  process.stderr.write('Compiling the load …\n');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [gyp, 'configure', 'build', '--jobs', String(availableParallelism())],
    { cwd: folder, env: { ...process.env, ...headers }, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the bench's addon does not compile:\n${stdout}\n${stderr}`);
  return createRequire(import.meta.url)('../native/build/Release/load.node') as LoadAddon;
}
