import { PacketPathError } from '@sluice/packet-path';
import { AppError } from '@sluice/runtime';

/** The packet path could not be opened: its own code, message and advice. */
export function packetPathFailed(thrown: unknown): unknown {
  if (!(thrown instanceof PacketPathError)) return thrown;
  return new AppError(thrown.code, thrown.message, { advice: thrown.advice, cause: thrown });
}

export const wrongClusterSecret = (site: string): AppError =>
  new AppError(
    'MEDIA_NODE_WRONG_CLUSTER_SECRET',
    `the key of site ${site} does not open with this node's cluster secret`,
    {
      advice: 'Give all processes of a cloud the same cluster secret.',
    },
  );

export const closedWhileStarting = (): AppError =>
  new AppError('MEDIA_NODE_CLOSED', 'the media node was closed before it was ready');
