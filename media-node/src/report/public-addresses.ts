import type { NodeReport } from '@sluice/contracts';
import type { BindAddress } from '@sluice/packet-path';
import type { Machine } from '../ports.ts';

type PublicAddress = NodeReport['publicAddresses'][number];

/**
 * Where clients reach this node: what the operator says, else where it is bound. An address that stands for all of the
 * machine's becomes those of its family: the machine's own first, loopback last, so that a laptop without a network
 * still works.
 */
export function publicAddresses(
  configured: readonly { readonly address: string; readonly port?: number | undefined }[],
  bound: readonly BindAddress[],
  machine: Machine,
): PublicAddress[] {
  const port = bound[0]?.port ?? 0;
  const addresses =
    configured.length > 0
      ? configured.map((one) => ({ address: one.address, port: one.port ?? port }))
      : bound.flatMap((one) => expanded(one, machine));
  return [...new Map(addresses.map((one) => [`${one.address} ${one.port}`, one])).values()];
}

function expanded({ address, port }: BindAddress, machine: Machine): PublicAddress[] {
  const family = { '0.0.0.0': 4, '::': 6 }[address];
  if (family === undefined) return [{ address, port }];
  const own = machine.addresses().filter((one) => one.family === family && !isLinkLocal(one.address));
  return own.sort((a, b) => Number(a.loopback) - Number(b.loopback)).map((one) => ({ address: one.address, port }));
}

/** RFC 4291 §2.5.6, RFC 3927: means nothing without the interface it belongs to. */
const isLinkLocal = (address: string): boolean => /^(fe[89ab]|169\.254\.)/i.test(address);
