import { SiteName } from '@sluice/contracts';
import { z } from 'zod';

const Port = z.int().min(0).max(65_535);
const IpAddress = z.union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address' });

/** Configuration of a media node. `sluice config` shows the effective one. */
export const MediaNodeConfig = z.strictObject({
  site: SiteName.prefault('local').describe(
    'The site that this node belongs to; all nodes of a site share one public address.',
  ),
  udpPort: Port.default(7882).describe('UDP port of all media. 0: the system chooses.'),
  bindAddresses: z
    .array(IpAddress)
    .min(1)
    .max(16)
    .default(['0.0.0.0'])
    .describe('Addresses of this machine that media is received on; 0.0.0.0 and :: are all of them.'),
  publicAddresses: z
    .array(
      z.strictObject({
        address: IpAddress.describe('Address that clients reach the site by.'),
        port: z.int().min(1).max(65_535).optional().describe('UDP port there; the bound one when left out.'),
      }),
    )
    .max(16)
    .default([])
    .describe(
      'Where clients reach the site, when that is not where its nodes are bound: behind NAT or a load balancer.',
    ),
  shards: z
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe('Threads that move packets, one core each. 0: as many as the machine has cores, at most 64.'),
});
export type MediaNodeConfig = z.infer<typeof MediaNodeConfig>;
