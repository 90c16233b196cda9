import type { SessionId, SessionSpec } from '@sluice/contracts';
import {
  type AddressText,
  type BindAddress,
  ManualPacketPath,
  type PacketPathEvent,
  type PathSnapshot,
  type SessionSnapshot,
  type Version,
} from '@sluice/packet-path';
import type { Clock, Timer } from '@sluice/runtime';
import type { PacketPathPort, PacketPathWish } from '../ports.ts';

export interface ManualPathOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** What it sends, at once. */
  readonly onDatagram: (to: AddressText, bytes: Uint8Array) => void;
}

/**
 * The compiled packet path on the clock that it is given, without sockets and threads: for simulations. Its events come
 * in the next turn, as those of a real one do.
 */
export class ManualPath implements PacketPathPort {
  readonly addresses: readonly BindAddress[];
  readonly #clock: Clock;
  readonly #path: ManualPacketPath;
  readonly #onEvent: (event: PacketPathEvent) => void;
  #deadline: { readonly atUs: number; readonly timer: Timer } | undefined;
  readonly #untold: PacketPathEvent[] = [];
  #tellTimer: Timer | undefined;

  constructor({ bind, shards, identity, onEvent }: PacketPathWish, { clock, seed, onDatagram }: ManualPathOptions) {
    this.addresses = bind;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.#path = new ManualPacketPath({
      shards,
      identity,
      tuning: {},
      seed,
      onEvent: (event) => this.#tellSoon(event),
      onDatagram,
    });
  }

  apply(spec: SessionSpec, version: Version): void {
    this.#path.apply(spec, version, this.#clock.nowUs());
    this.#arm();
  }

  drop(session: SessionId): void {
    this.#path.drop(session, this.#clock.nowUs());
    this.#arm();
  }

  drain(): void {
    this.#path.drain(this.#clock.nowUs());
  }

  /** A datagram arrives now. */
  receive(from: AddressText, bytes: Uint8Array): void {
    this.#path.deliver(from, bytes, this.#clock.nowUs());
    this.#arm();
  }

  snapshot(): Promise<PathSnapshot>;
  snapshot(session: SessionId): Promise<SessionSnapshot | undefined>;
  async snapshot(session?: SessionId): Promise<PathSnapshot | SessionSnapshot | undefined> {
    const nowUs = this.#clock.nowUs();
    return session === undefined ? this.#path.snapshot(nowUs) : this.#path.sessionSnapshot(session, nowUs);
  }

  close(): void {
    this.#deadline?.timer.cancel();
    this.#tellTimer?.cancel();
    this.#path.close();
  }

  #arm(): void {
    const atUs = this.#path.nextDeadlineUs();
    if (atUs === this.#deadline?.atUs) return;
    this.#deadline?.timer.cancel();
    this.#deadline = undefined;
    if (atUs === undefined) return;
    const timer = this.#clock.setTimer(atUs - this.#clock.nowUs(), () => {
      this.#deadline = undefined;
      this.#path.advance(this.#clock.nowUs());
      this.#arm();
    });
    this.#deadline = { atUs, timer };
  }

  #tellSoon(event: PacketPathEvent): void {
    this.#untold.push(event);
    this.#tellTimer ??= this.#clock.setTimer(0, () => {
      this.#tellTimer = undefined;
      for (const one of this.#untold.splice(0)) this.#onEvent(one);
    });
  }
}
