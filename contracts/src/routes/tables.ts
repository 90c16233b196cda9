import { z } from 'zod';
import { NodeId, RoomId, TrackId } from '../ids.ts';

/** Which nodes need which of this node's tracks. Key: the node. */
export const ForwardTable = z.strictObject({
  node: NodeId,
  entries: z.array(z.strictObject({ room: RoomId, track: TrackId, nodes: z.array(NodeId).min(1) })),
});
export type ForwardTable = z.infer<typeof ForwardTable>;

/** Next hop and backup towards every node. Key: the node it is for. */
export const RouteTable = z.strictObject({
  node: NodeId,
  /** Epoch of the link keys. */
  keyEpoch: z.int().min(0),
  routes: z.array(
    z.strictObject({
      to: NodeId,
      nextHop: NodeId,
      backup: NodeId.optional(),
      linkClass: z.enum(['internal', 'internet', 'premium']),
    }),
  ),
});
export type RouteTable = z.infer<typeof RouteTable>;
