import type { Clock } from '@sluice/runtime';
import { type Conditions, Link, type LinkSink } from './link.ts';
import type { AccessNetwork } from './networks.ts';
import { SeededRandom } from './random.ts';

/** `ip:port`, or `[ip]:port` for IPv6, as the packet path writes addresses. */
export type SimAddress = string;

export type Receive = (from: SimAddress, datagram: Uint8Array) => void;

interface Endpoint {
  address: SimAddress;
  readonly receive: Receive;
  readonly up: Link;
  readonly down: Link;
}

/** What became of the datagrams; the numbers a failing scenario prints. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  toNobody: number;
}

/** Endpoints with access links to a core that is perfect. Every datagram crosses its sender's `up` and its receiver's `down`. */
export class Network {
  readonly counts: NetworkCounts = { sent: 0, delivered: 0, toNobody: 0 };
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #endpoints = new Map<SimAddress, Endpoint>();
  #attached = 0;

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
  }

  attach(address: SimAddress, access: AccessNetwork, receive: Receive): Attachment {
    if (this.#endpoints.has(address)) throw new Error(`the simulated address ${address} is taken`);
    this.#attached += 1;
    const random = new SeededRandom(this.#seed * 1009 + this.#attached);
    const endpoint = { address, receive, up: new Link(access.up, random), down: new Link(access.down, random) };
    this.#endpoints.set(address, endpoint);
    return new Attachment(this, endpoint);
  }

  /** Called by attachments. */
  carry(from: Endpoint, to: SimAddress, datagram: Uint8Array): void {
    this.counts.sent += 1;
    const seenFrom = from.address;
    const bytes = datagram.slice();
    const enterCore: LinkSink = {
      deliver: (atUs) => this.#at(atUs, () => this.#leaveCore(seenFrom, to, bytes)),
    };
    from.up.send(bytes, this.#clock.nowUs(), enterCore);
  }

  /** Called by attachments: the endpoint's datagrams come from another address from now on, as behind a NAT that forgot. */
  rename(endpoint: Endpoint, address: SimAddress): void {
    if (this.#endpoints.has(address)) throw new Error(`the simulated address ${address} is taken`);
    this.#endpoints.delete(endpoint.address);
    endpoint.address = address;
    this.#endpoints.set(address, endpoint);
  }

  remove(endpoint: Endpoint): void {
    this.#endpoints.delete(endpoint.address);
  }

  #leaveCore(from: SimAddress, to: SimAddress, bytes: Uint8Array): void {
    const receiver = this.#endpoints.get(to);
    if (receiver === undefined) {
      this.counts.toNobody += 1;
      return;
    }
    const arrive = (): void => {
      this.counts.delivered += 1;
      receiver.receive(from, bytes);
    };
    receiver.down.send(bytes, this.#clock.nowUs(), { deliver: (atUs) => this.#at(atUs, arrive) });
  }

  #at(atUs: number, run: () => void): void {
    this.#clock.setTimer(Math.max(0, atUs - this.#clock.nowUs()), run);
  }
}

/** An endpoint's hold on the network. */
export class Attachment {
  readonly #network: Network;
  readonly #endpoint: Endpoint;

  constructor(network: Network, endpoint: Endpoint) {
    this.#network = network;
    this.#endpoint = endpoint;
  }

  get address(): SimAddress {
    return this.#endpoint.address;
  }

  send(to: SimAddress, datagram: Uint8Array): void {
    this.#network.carry(this.#endpoint, to, datagram);
  }

  change(access: Partial<{ up: Conditions; down: Conditions }>): void {
    if (access.up !== undefined) this.#endpoint.up.change(access.up);
    if (access.down !== undefined) this.#endpoint.down.change(access.down);
  }

  rebind(address: SimAddress): void {
    this.#network.rename(this.#endpoint, address);
  }

  detach(): void {
    this.#network.remove(this.#endpoint);
  }
}
