import type { Fingerprint } from '@sluice/contracts';
import type {
  PeerChannel,
  PeerEvent,
  PeerMedia,
  PeerMediaReport,
  PeerTransport,
  SendResult,
} from '@sluice/packet-path';
import type { Clock, RandomBytes } from '@sluice/runtime';

/** What a client needs from the world: a simulated one, or the real one. */
export interface RoomClientPorts {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Of the certificate that the peers which `openPeer` gives will show. */
  readonly fingerprint: Fingerprint;
  /** Opens a WebSocket. What comes of it is told later, never before this returns. */
  dial(target: SignalTarget, listener: SignalListener): SignalLink;
  /** Opens the client's end of a session, which begins at once to look for the other end. */
  openPeer(wish: PeerWish): PeerPort;
}

/** Where, and as whom, a client wants in: what stands in its URL. */
export interface SignalTarget {
  readonly path: '/rtc' | '/rtc/v1';
  readonly query: URLSearchParams;
  readonly token: string;
}

/** Frames are protobuf. */
export interface SignalLink {
  send(frame: Uint8Array): void;
  close(): void;
}

export interface SignalListener {
  frame(bytes: Uint8Array): void;
  /** It is over, or never opened. Told once; nothing follows. */
  closed(why: SignalClosure): void;
}

export interface SignalClosure {
  /** An HTTP status instead of a WebSocket; 0: none. */
  readonly status: number;
  readonly text: string;
}

export interface PeerWish extends PeerTransport {
  readonly dtlsRole: 'client' | 'server';
  readonly remoteFingerprints: readonly Fingerprint[];
  readonly data: { readonly remoteMaxMessageBytes: number; readonly channels: readonly PeerChannel[] } | undefined;
  readonly onEvent: (event: PeerEvent) => void;
}

/** `ManualPeer` stepped by someone, or a peer on a thread of its own. */
export interface PeerPort {
  restart(transport: PeerTransport): void;
  setMedia(media: PeerMedia): void;
  send(streamId: number, kind: 'string' | 'binary', bytes: Uint8Array): SendResult;
  report(): PeerMediaReport | undefined;
  /** Says goodbye, and tells nothing any more. */
  close(): void;
  /** Is gone without a word. */
  vanish(): void;
}
