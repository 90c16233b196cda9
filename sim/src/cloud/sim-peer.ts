import type { PeerPort, PeerWish } from '@sluice/load-tester';
import type { PeerTransport, SendResult } from '@sluice/packet-path';
import { type Identity, ManualPeer, type PeerEvent, type PeerMedia, type PeerMediaReport } from '@sluice/packet-path';
import type { Clock, Timer } from '@sluice/runtime';
import type { Host, HostSocket } from '../network/network.ts';

export interface SimPeerOptions {
  readonly clock: Clock;
  readonly host: Host;
  readonly identity: Identity;
  readonly seed: number;
}

/** A client's end of a session on the simulated network. What happens to it is told in the next turn. */
export class SimPeer implements PeerPort {
  readonly #clock: Clock;
  readonly #socket: HostSocket;
  readonly #peer: ManualPeer;
  readonly #onEvent: (event: PeerEvent) => void;
  readonly #untold: PeerEvent[] = [];
  #telling: Timer | undefined;
  #deadline: { readonly atUs: number; readonly timer: Timer } | undefined;
  #over = false;

  constructor({ onEvent, ...wish }: PeerWish, { clock, host, identity, seed }: SimPeerOptions) {
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#socket = host.open((from, datagram) => this.#receive(from, datagram));
    this.#peer = new ManualPeer({
      ...wish,
      identity,
      seed,
      onEvent: (event) => this.#happened(event),
      onDatagram: (to, bytes) => this.#socket.send(to, bytes),
    });
    this.#peer.start(clock.nowUs());
    this.#arm();
  }

  restart(transport: PeerTransport): void {
    this.#peer.restart(transport, this.#clock.nowUs());
    this.#arm();
  }

  setMedia(media: PeerMedia): void {
    this.#peer.setMedia(media, this.#clock.nowUs());
    this.#arm();
  }

  send(streamId: number, kind: 'string' | 'binary', bytes: Uint8Array): SendResult {
    const result = this.#peer.send(streamId, kind, bytes, this.#clock.nowUs());
    this.#arm();
    return result;
  }

  report(): PeerMediaReport | undefined {
    return this.#peer.mediaReport(this.#clock.nowUs());
  }

  close(): void {
    if (this.#over) return;
    this.#peer.close();
    this.vanish();
  }

  vanish(): void {
    this.#over = true;
    this.#deadline?.timer.cancel();
    this.#telling?.cancel();
    this.#socket.close();
  }

  #receive(from: string, datagram: Uint8Array): void {
    this.#peer.receive(from, datagram, this.#clock.nowUs());
    this.#arm();
  }

  #happened(event: PeerEvent): void {
    if (this.#over) return;
    this.#untold.push(event);
    this.#telling ??= this.#clock.setTimer(0, () => {
      this.#telling = undefined;
      for (const one of this.#untold.splice(0)) if (!this.#over) this.#onEvent(one);
    });
  }

  #arm(): void {
    if (this.#over) return;
    const atUs = this.#peer.nextDeadlineUs();
    if (atUs === this.#deadline?.atUs) return;
    this.#deadline?.timer.cancel();
    this.#deadline = undefined;
    if (atUs === undefined) return;
    const timer = this.#clock.setTimer(atUs - this.#clock.nowUs(), () => {
      this.#deadline = undefined;
      this.#peer.advance(this.#clock.nowUs());
      this.#arm();
    });
    this.#deadline = { atUs, timer };
  }
}
