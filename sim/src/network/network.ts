import type { Clock } from '@sluice/runtime';
import { type Conditions, Link } from './link.ts';
import type { AccessNetwork } from './networks.ts';
import { SeededRandom } from './random.ts';
import { Stream } from './stream.ts';

/** `ip:port`, or `[ip]:port` for IPv6, as the packet path writes addresses. */
export type SimAddress = string;

export type Receive = (from: SimAddress, datagram: Uint8Array) => void;

/** What became of the datagrams; the numbers a failing scenario prints. */
export interface NetworkCounts {
  sent: number;
  delivered: number;
  toNobody: number;
}

/** Hosts with access links to a core that is perfect. Every datagram crosses its sender's `up` and its receiver's `down`. */
export class Network {
  readonly counts: NetworkCounts = { sent: 0, delivered: 0, toNobody: 0 };
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #sockets = new Map<SimAddress, HostSocket>();
  #hosts = 0;

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** A machine, or a home behind its NAT: seen by others under one address. */
  host(ip: string, access: AccessNetwork): Host {
    this.#hosts += 1;
    return new Host(this, ip, access, new SeededRandom(this.#seed * 1009 + this.#hosts));
  }

  /** For hosts. */
  bind(socket: HostSocket, address: SimAddress): void {
    if (this.#sockets.has(address)) throw new Error(`the simulated address ${address} is taken`);
    this.#sockets.set(address, socket);
  }

  /** For hosts. */
  unbind(address: SimAddress): void {
    this.#sockets.delete(address);
  }

  /** For hosts. `datagram` is the network's from now on. */
  carry(socket: HostSocket, to: SimAddress, datagram: Uint8Array): void {
    this.counts.sent += 1;
    const from = socket.address;
    const nowUs = this.#clock.nowUs();
    socket.host.up.send(datagram, nowUs, {
      deliver: (atUs) => {
        if (atUs <= nowUs) this.#leaveCore(from, to, datagram, 'later');
        else this.#clock.setTimer(atUs - nowUs, () => this.#leaveCore(from, to, datagram, 'now'));
      },
    });
  }

  /** `soonest`: whether it may arrive while its sender still sends. */
  #leaveCore(from: SimAddress, to: SimAddress, datagram: Uint8Array, soonest: 'now' | 'later'): void {
    const receiver = this.#sockets.get(to);
    if (receiver === undefined) {
      this.counts.toNobody += 1;
      return;
    }
    const arrive = (): void => {
      if (receiver.closed) return;
      this.counts.delivered += 1;
      receiver.receive(from, datagram);
    };
    const nowUs = this.#clock.nowUs();
    receiver.host.down.send(datagram, nowUs, {
      deliver: (atUs) => {
        if (atUs <= nowUs && soonest === 'now') arrive();
        else this.#clock.setTimer(Math.max(0, atUs - nowUs), arrive);
      },
    });
  }
}

/** Ports that a NAT gives, one after the other. */
const FIRST_PORT = 40_000;

export class Host {
  readonly up: Link;
  readonly down: Link;
  readonly #network: Network;
  readonly #random: SeededRandom;
  readonly #sockets = new Set<HostSocket>();
  readonly #streams = new Set<Stream>();
  #ip: string;
  #nextPort = FIRST_PORT;

  constructor(network: Network, ip: string, access: AccessNetwork, random: SeededRandom) {
    this.#network = network;
    this.#ip = ip;
    this.#random = random;
    this.up = new Link(access.up, random);
    this.down = new Link(access.down, random);
  }

  get ip(): string {
    return this.#ip;
  }

  /** A UDP socket, on a port of the NAT's choice unless one is given. */
  open(receive: Receive, port?: number): HostSocket {
    const socket = new HostSocket(this, this.#network, this.#address(port ?? this.#takePort()), receive);
    this.#sockets.add(socket);
    return socket;
  }

  /** A TCP connection to the core, which is where servers are. */
  connect(): { readonly up: Stream; readonly down: Stream } {
    const clock = this.#network.clock;
    const roundTripUs = (): number => this.up.delayUs + this.down.delayUs;
    const make = (link: Link): Stream => {
      const stream = new Stream({
        clock,
        link,
        random: this.#random,
        roundTripUs,
        ended: () => this.#streams.delete(stream),
      });
      this.#streams.add(stream);
      return stream;
    };
    return { up: make(this.up), down: make(this.down) };
  }

  /** The access link changes from now on; what is under way arrives as it was. */
  change(access: Partial<{ up: Conditions; down: Conditions }>): void {
    if (access.up !== undefined) this.up.change(access.up);
    if (access.down !== undefined) this.down.change(access.down);
  }

  /** The NAT forgets: the same sockets are seen under other ports from now on, and perhaps another address. */
  rebind(ip: string = this.#ip): void {
    this.#ip = ip;
    for (const socket of this.#sockets) socket.rename(this.#address(this.#takePort()));
  }

  /** For sockets. */
  forget(socket: HostSocket): void {
    this.#sockets.delete(socket);
  }

  /** It is gone: nothing of it is sent or received any more. */
  remove(): void {
    for (const socket of this.#sockets) socket.close();
    for (const stream of this.#streams) stream.close();
  }

  #takePort(): number {
    this.#nextPort += 1;
    return this.#nextPort;
  }

  #address(port: number): SimAddress {
    return this.#ip.includes(':') ? `[${this.#ip}]:${port}` : `${this.#ip}:${port}`;
  }
}

export class HostSocket {
  readonly host: Host;
  readonly receive: Receive;
  readonly #network: Network;
  #address: SimAddress;
  #closed = false;

  constructor(host: Host, network: Network, address: SimAddress, receive: Receive) {
    this.host = host;
    this.receive = receive;
    this.#network = network;
    this.#address = address;
    network.bind(this, address);
  }

  /** As others see it. */
  get address(): SimAddress {
    return this.#address;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(to: SimAddress, datagram: Uint8Array): void {
    if (!this.#closed) this.#network.carry(this, to, datagram);
  }

  rename(address: SimAddress): void {
    this.#network.unbind(this.#address);
    this.#address = address;
    this.#network.bind(this, address);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.unbind(this.#address);
    this.host.forget(this);
  }
}
