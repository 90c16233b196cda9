import { readFileSync } from 'node:fs';
import { PacketPath } from '@sluice/packet-path';
import type { SfuAnswer, SfuRequest } from './sfu.ts';

/** The process that is measured: a packet path of one shard, pinned, and nothing else. Its parent says what to do. */

let path: PacketPath | undefined;

process.on('message', (request: SfuRequest) => {
  void answer(request).then((value) => process.send?.(value satisfies SfuAnswer));
});
process.on('disconnect', () => process.exit(0));

async function answer(request: SfuRequest): Promise<SfuAnswer> {
  switch (request.type) {
    case 'open': {
      const { identity, cpu } = request;
      const bind = [{ address: '127.0.0.1', port: 0 }];
      path = PacketPath.open({ bind, shards: 1, identity, tuning: { cpus: [cpu] }, onEvent: () => {} });
      return { type: 'opened', addresses: path.addresses };
    }
    case 'apply':
      for (const spec of request.specs) path?.apply(spec, { epoch: 1, generation: 1 });
      return { type: 'applied' };
    case 'measure': {
      const shard = (await path?.snapshot())?.shards[0];
      if (shard === undefined) throw new Error('the packet path is not open');
      return { type: 'measured', shard, residentBytes: residentBytes() };
    }
  }
}

/** Resident set without what the garbage collector may give back: collected first. */
function residentBytes(): number {
  globalThis.gc?.();
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kib) * 1024;
}
