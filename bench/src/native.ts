import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface BareLimitOptions {
  readonly destinations: number;
  /** Packets of each frame, in turn. */
  readonly framePackets: readonly number[];
  readonly packetBytes: number;
  readonly frameIntervalUs: number;
  readonly frames: number;
  readonly cpu: number;
}

export interface BareLimitResult {
  readonly packets: number;
  /** Of them, at the other end. */
  readonly arrived: number;
  readonly cpuUs: number;
  readonly sealCpuUs: number;
  readonly sendCalls: number;
  readonly failures: number;
}

/** See native/addon.cc. */
export interface Native {
  bareLimit(options: BareLimitOptions): Promise<BareLimitResult>;
  /** Of all threads of another process, since its start; undefined when it is not there. */
  processCpuUs(pid: number): number | undefined;
}

/** Compiles the bench's addon where its sources are newer, and loads it. */
export function loadNative(): Native {
  compileNative();
  return createRequire(import.meta.url)('../native/build/Release/bench.node') as Native;
}

export function compileNative(): void {
  const folder = fileURLToPath(new URL('../native/', import.meta.url));
  const gyp = fileURLToPath(new URL('../../node_modules/node-gyp/bin/node-gyp.js', import.meta.url));
  const nodeFolder = dirname(dirname(process.execPath));
  const headers = existsSync(`${nodeFolder}/include/node/node_api.h`) ? { npm_config_nodedir: nodeFolder } : {};
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [gyp, 'configure', 'build', '--jobs', String(availableParallelism())],
    { cwd: folder, env: { ...process.env, ...headers }, encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`the bench's addon does not compile:\n${stdout}\n${stderr}`);
}
