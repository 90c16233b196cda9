import type { SessionId, SessionSpec } from '@sluice/contracts';
import type { AddressText, PacketPathEvent } from './events.ts';
import { loadAddon, type NativeManualPath, type Outcome } from './native.ts';
import type { Identity, Tuning, Version } from './options.ts';
import { attempt } from './packet-path.ts';
import type { PathSnapshot, SessionSnapshot } from './snapshot.ts';

export interface ManualPacketPathOptions {
  readonly shards: number;
  readonly identity: Identity;
  readonly tuning: Pick<Tuning, 'consentTimeoutMs' | 'setupTimeoutMs' | 'maxPackets'>;
  /** One seed, one course of things; but for DTLS, whose randomness is OpenSSL's own. */
  readonly seed: number;
  readonly onEvent: (event: PacketPathEvent) => void;
  readonly onDatagram: (to: AddressText, bytes: Uint8Array) => void;
}

/**
 * The same compiled packet path without sockets, threads and clock: whoever steps it says what arrives and what time it
 * is, and is called back, before the call returns, with what it sends and tells.
 */
export class ManualPacketPath {
  readonly #native: NativeManualPath;
  readonly #onEvent: (event: PacketPathEvent) => void;
  readonly #onDatagram: (to: AddressText, bytes: Uint8Array) => void;

  constructor(options: ManualPacketPathOptions) {
    const { shards, identity, tuning, seed, onEvent, onDatagram } = options;
    const { certificatePem, privateKeyPem } = identity;
    this.#native = attempt(() => {
      const { ManualPath } = loadAddon();
      return new ManualPath({ ...tuning, shards, certificatePem, privateKeyPem, seed });
    });
    this.#onEvent = onEvent;
    this.#onDatagram = onDatagram;
  }

  apply(spec: SessionSpec, version: Version, nowUs: number): void {
    this.#tell(attempt(() => this.#native.apply(spec, version, nowUs)));
  }

  drop(session: SessionId, nowUs: number): void {
    this.#tell(attempt(() => this.#native.drop(session, nowUs)));
  }

  drain(nowUs: number): void {
    this.#tell(attempt(() => this.#native.drain(nowUs)));
  }

  /** A datagram arrives. An address always meets the same shard. */
  deliver(from: AddressText, bytes: Uint8Array, nowUs: number): void {
    this.#tell(attempt(() => this.#native.deliver([from, bytes], nowUs)));
  }

  /** Datagrams arrive together, as one batch of the kernel. */
  deliverAll(datagrams: readonly { readonly from: AddressText; readonly bytes: Uint8Array }[], nowUs: number): void {
    const flat = datagrams.flatMap(({ from, bytes }) => [from, bytes]);
    this.#tell(attempt(() => this.#native.deliver(flat, nowUs)));
  }

  /** Does everything that is due at `nowUs`. */
  advance(nowUs: number): void {
    this.#tell(attempt(() => this.#native.advance(nowUs)));
  }

  /** When `advance` is to be called next; undefined: not before something else happens. */
  nextDeadlineUs(): number | undefined {
    return attempt(() => this.#native.nextDeadline());
  }

  snapshot(nowUs: number): PathSnapshot {
    return attempt(() => this.#native.snapshot(undefined, nowUs));
  }

  sessionSnapshot(session: SessionId, nowUs: number): SessionSnapshot | undefined {
    return attempt(() => this.#native.snapshot(session, nowUs));
  }

  close(): void {
    this.#native.close();
  }

  #tell(outcome: Outcome): void {
    const { datagrams, events } = outcome;
    for (const event of events) this.#onEvent(event);
    for (let i = 0; i + 1 < datagrams.length; i += 2) {
      this.#onDatagram(datagrams[i] as AddressText, datagrams[i + 1] as Uint8Array);
    }
  }
}
