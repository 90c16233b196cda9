import type { Fingerprint } from '@sluice/contracts';
import {
  type ClientReport,
  type ClientState,
  type Mode,
  type ReceivedData,
  RoomClient,
  type RoomClientPorts,
} from '@sluice/load-tester';
import type { Identity } from '@sluice/packet-path';
import type { Clock, RandomBytes } from '@sluice/runtime';
import type { Host } from '../network/network.ts';
import type { AccessNetwork } from '../network/networks.ts';
import { SimPeer } from './sim-peer.ts';

export interface SimClientOptions {
  readonly identity: string;
  readonly roomName: string;
  readonly network: AccessNetwork;
  readonly mode: Mode;
  readonly autoSubscribe: boolean;
}

export interface SimClientPorts {
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly dial: RoomClientPorts['dial'];
  readonly host: Host;
  readonly token: string;
  readonly identity: Identity;
  readonly fingerprint: Fingerprint;
}

/** A client on a machine of its own, and what happened to it. */
export class SimClient {
  readonly identity: string;
  readonly roomName: string;
  readonly autoSubscribe: boolean;
  readonly host: Host;
  readonly room: RoomClient;
  readonly received: ReceivedData[] = [];
  readonly problems: string[] = [];
  readonly states: { readonly atUs: number; readonly state: ClientState }[] = [];

  constructor({ identity, roomName, mode, autoSubscribe }: SimClientOptions, ports: SimClientPorts) {
    const { clock, random, dial, host, token, fingerprint } = ports;
    this.identity = identity;
    this.roomName = roomName;
    this.autoSubscribe = autoSubscribe;
    this.host = host;
    const openPeer: RoomClientPorts['openPeer'] = (wish) =>
      new SimPeer(wish, { clock, host, identity: ports.identity, seed: Buffer.from(random(4)).readUInt32BE() });
    this.room = new RoomClient(
      { token, mode, autoSubscribe },
      { clock, random, fingerprint, dial, openPeer },
      {
        stateChanged: (state) => this.states.push({ atUs: clock.nowUs(), state }),
        data: (message) => this.received.push(message),
        problem: (what) => this.problems.push(what),
      },
    );
  }

  /** In the room, as far as it knows. */
  get isIn(): boolean {
    return this.room.state === 'live';
  }

  report(): ClientReport {
    return this.room.report();
  }

  /** Its process dies; its system closes its sockets. */
  crash(): void {
    this.room.crash();
  }

  /** It is gone with its machine: nothing leaves or arrives any more. */
  vanish(): void {
    this.room.vanish();
    this.host.remove();
  }
}
