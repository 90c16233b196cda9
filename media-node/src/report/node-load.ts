import type { NodeReport, TimeUs } from '@sluice/contracts';
import type { PathSnapshot } from '@sluice/packet-path';

/** What of a report comes from the packet path's own numbers. */
export type PathReport = Pick<NodeReport, 'load' | 'packetsIn' | 'packetsOut' | 'bytesIn' | 'bytesOut' | 'drops'>;

/** Turns the packet path's counters into what a node reports. Load is the share of its threads' time that they ran. */
export class NodeLoad {
  #before: { readonly atUs: TimeUs; readonly cpuUs: number } | undefined;
  #load = 0;

  measure({ shards }: PathSnapshot, nowUs: TimeUs): PathReport {
    const sum = (of: (shard: PathSnapshot['shards'][number]) => number): number =>
      shards.reduce((total, shard) => total + of(shard), 0);
    this.#measureLoad(
      sum(({ io }) => io.cpuUs),
      shards.length,
      nowUs,
    );
    return {
      load: this.#load,
      packetsIn: sum(({ io }) => io.datagramsReceived),
      packetsOut: sum(({ io }) => io.datagramsSent),
      bytesIn: sum(({ io }) => io.bytesReceived),
      bytesOut: sum(({ io }) => io.bytesSent),
      drops: dropsOf({ shards }),
    };
  }

  #measureLoad(cpuUs: number, shards: number, nowUs: TimeUs): void {
    const before = this.#before;
    this.#before = { atUs: nowUs, cpuUs };
    const spanUs = nowUs - (before?.atUs ?? nowUs);
    if (before === undefined || spanUs <= 0 || shards === 0) return;
    this.#load = Math.max(0, cpuUs - before.cpuUs) / (spanUs * shards);
  }
}

/** Drops of all shards by reason; those of the sockets beside those of the core. Reasons that never occurred are 0. */
export function dropsOf({ shards }: PathSnapshot): Record<string, number> {
  const drops: Record<string, number> = {};
  for (const { drops: core, io } of shards) {
    for (const [reason, count] of [...Object.entries(core), ...Object.entries(io.drops)]) {
      drops[reason] = (drops[reason] ?? 0) + count;
    }
  }
  return drops;
}
