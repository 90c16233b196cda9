import { z } from 'zod';
import { NodeId, SiteName } from '../ids.ts';

/** How a node is, said about once a second and at once when something changes. Key: the node. */
export const NodeReport = z.strictObject({
  node: NodeId,
  site: SiteName,
  /** Where clients reach the site's media: what goes into candidates. */
  publicAddresses: z.array(z.strictObject({ address: z.string(), port: z.int().min(1).max(65_535) })),
  draining: z.boolean(),
  sessions: z.int().min(0),
  incomingTracks: z.int().min(0),
  outgoingTracks: z.int().min(0),
  /** Share of the media cores in use, 0 to 1. */
  load: z.number().min(0),
  packetsIn: z.int().min(0),
  packetsOut: z.int().min(0),
  bytesIn: z.int().min(0),
  bytesOut: z.int().min(0),
  /** Dropped datagrams and packets by reason. */
  drops: z.record(z.string(), z.int().min(0)),
  /** Per neighbour; empty in a site of one. */
  links: z.array(
    z.strictObject({
      node: NodeId,
      delayUs: z.number().min(0),
      jitterUs: z.number().min(0),
      loss: z.number().min(0).max(1),
    }),
  ),
});
export type NodeReport = z.infer<typeof NodeReport>;
