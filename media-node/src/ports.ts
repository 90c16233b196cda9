import type { Bus } from '@sluice/bus';
import type { NodeId, SessionId, SessionSpec, SiteName, WriterId } from '@sluice/contracts';
import type {
  BindAddress,
  Identity,
  PacketPathEvent,
  PathSnapshot,
  SessionSnapshot,
  Version,
} from '@sluice/packet-path';
import type { Clock, Logger } from '@sluice/runtime';

/** The packet path, as far as a media node uses it. `PacketPath` is one; simulations step another. */
export interface PacketPathPort {
  /** What was bound, with the ports that the system chose. */
  readonly addresses: readonly BindAddress[];
  apply(spec: SessionSpec, version: Version): void;
  drop(session: SessionId): void;
  drain(): void;
  snapshot(): Promise<PathSnapshot>;
  snapshot(session: SessionId): Promise<SessionSnapshot | undefined>;
  close(): void;
}

export interface PacketPathWish {
  readonly bind: readonly BindAddress[];
  readonly shards: number;
  readonly identity: Identity;
  readonly onEvent: (event: PacketPathEvent) => void;
}

export type OpenPacketPath = (wish: PacketPathWish) => PacketPathPort;

/** The machine's own addresses, and how many cores it has. */
export interface Machine {
  readonly cores: number;
  addresses(): readonly MachineAddress[];
}

export interface MachineAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly loopback: boolean;
}

/** What every part of a node needs from the world, and who the node is. */
export interface MediaNodePorts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly site: SiteName;
  readonly node: NodeId;
  /** Names this run of this process on the bus. */
  readonly writer: WriterId;
}
