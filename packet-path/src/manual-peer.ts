import type { Fingerprint, IceCredentials } from '@sluice/contracts';
import type { AddressText } from './events.ts';
import { loadAddon, type NativeManualPeer, type PeerOutcome, type PeerStatus } from './native.ts';
import type { Identity } from './options.ts';
import { attempt } from './packet-path.ts';
import type { PeerMedia, PeerMediaReport } from './peer-media.ts';

/** A data channel as both ends know it (RFC 8832 §5.1). */
export interface PeerChannel {
  readonly label: string;
  readonly protocol: string;
  readonly ordered: boolean;
  readonly maxRetransmits?: number;
  readonly maxPacketLifeTimeMs?: number;
  /** Set: agreed without DCEP on this stream. */
  readonly streamId?: number;
}

export type PeerEvent =
  /** ICE and DTLS are done. `media`: SRTP keys are in place. */
  | { readonly type: 'connected'; readonly media: boolean }
  | { readonly type: 'rtp'; readonly packet: Uint8Array }
  | { readonly type: 'rtcp'; readonly compound: Uint8Array }
  | {
      readonly type: 'channel-opened';
      readonly streamId: number;
      readonly label: string;
      readonly protocol: string;
      readonly ordered: boolean;
    }
  | { readonly type: 'channel-closed'; readonly streamId: number }
  | {
      readonly type: 'message';
      readonly streamId: number;
      readonly kind: 'string' | 'binary';
      readonly bytes: Uint8Array;
    }
  /** A message was refused for want of room, and now there is some. */
  | { readonly type: 'writable' }
  | { readonly type: 'ended'; readonly reason: PeerEndReason };

export type PeerEndReason =
  | 'closed-here'
  | 'unreachable'
  | 'consent-lost'
  | 'dtls-failed'
  | 'dtls-closed'
  | 'sctp-failed';

export type SendResult = 'ok' | 'buffer-full' | 'no-such-channel' | 'too-large';

/** Where the server is, and by which credentials each knows the other. */
export interface PeerTransport {
  readonly server: AddressText;
  readonly local: IceCredentials;
  readonly remote: IceCredentials;
}

export interface ManualPeerOptions extends PeerTransport {
  readonly dtlsRole: 'client' | 'server';
  readonly remoteFingerprints: readonly Fingerprint[];
  readonly identity: Identity;
  /** undefined: media alone. */
  readonly data: { readonly remoteMaxMessageBytes: number; readonly channels: readonly PeerChannel[] } | undefined;
  readonly seed: number;
  readonly onEvent: (event: PeerEvent) => void;
  readonly onDatagram: (to: AddressText, bytes: Uint8Array) => void;
}

/**
 * The client's end of a session, made of the packet path's own parts: ICE, DTLS, SRTP, data channels. Stepped like
 * `ManualPacketPath`; what a call causes is told before it returns.
 */
export class ManualPeer {
  readonly #native: NativeManualPeer;
  readonly #onEvent: (event: PeerEvent) => void;
  readonly #onDatagram: (to: AddressText, bytes: Uint8Array) => void;

  constructor(options: ManualPeerOptions) {
    const { identity, onEvent, onDatagram, ...rest } = options;
    this.#native = attempt(() => new (loadAddon().ManualPeer)({ ...rest, ...identity }));
    this.#onEvent = onEvent;
    this.#onDatagram = onDatagram;
  }

  start(nowUs: number): void {
    this.#tell(attempt(() => this.#native.start(nowUs)));
  }

  receive(from: AddressText, bytes: Uint8Array, nowUs: number): void {
    this.#tell(attempt(() => this.#native.receive(from, bytes, nowUs)));
  }

  /** An ICE restart (RFC 8445 §9), perhaps towards another machine. DTLS goes on. */
  restart(transport: PeerTransport, nowUs: number): void {
    this.#tell(attempt(() => this.#native.restart(transport, nowUs)));
  }

  /** Whole RTP packets, sealed and sent. */
  sendRtp(packets: readonly Uint8Array[]): void {
    this.#tell(attempt(() => this.#native.sendRtp(packets)));
  }

  sendRtcp(compound: Uint8Array): void {
    this.#tell(attempt(() => this.#native.sendRtcp(compound)));
  }

  send(streamId: number, kind: 'string' | 'binary', bytes: Uint8Array, nowUs: number): SendResult {
    return this.#tell(attempt(() => this.#native.send(streamId, kind, bytes, nowUs))).result;
  }

  /** The stream that it is opened on; undefined when there is no association, or no stream left. */
  openChannel(channel: PeerChannel, nowUs: number): number | undefined {
    return this.#tell(attempt(() => this.#native.openChannel(channel, nowUs))).streamId;
  }

  closeChannel(streamId: number, nowUs: number): void {
    this.#tell(attempt(() => this.#native.closeChannel(streamId, nowUs)));
  }

  /** As a browser does: a close_notify, then nothing. */
  close(): void {
    this.#tell(attempt(() => this.#native.close()));
  }

  /**
   * Has it send and receive by itself from now on; what it is sent is then no event any more. What is due at once waits
   * for `advance`.
   */
  setMedia(media: PeerMedia, nowUs: number): void {
    attempt(() => this.#native.setMedia(media, nowUs));
  }

  /** What the network carries, shared among its cameras. */
  setTarget(targetBps: number): void {
    attempt(() => this.#native.setTarget(targetBps));
  }

  /** Undefined before `setMedia`. */
  mediaReport(nowUs: number): PeerMediaReport | undefined {
    return attempt(() => this.#native.mediaReport(nowUs));
  }

  advance(nowUs: number): void {
    this.#tell(attempt(() => this.#native.advance(nowUs)));
  }

  nextDeadlineUs(): number | undefined {
    return attempt(() => this.#native.nextDeadline());
  }

  status(): PeerStatus {
    return attempt(() => this.#native.status());
  }

  #tell<T extends PeerOutcome>(outcome: T): T {
    const { datagrams, events } = outcome;
    for (let i = 0; i + 1 < datagrams.length; i += 2) {
      this.#onDatagram(datagrams[i] as AddressText, datagrams[i + 1] as Uint8Array);
    }
    for (const event of events) this.#onEvent(event);
    return outcome;
  }
}
