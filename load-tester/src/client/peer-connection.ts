import type { Fingerprint, RandomBytes } from '@sluice/contracts';
import type { PeerCamera, PeerChannel, PeerEvent, PeerMedia, PeerMicrophone, PeerSink } from '@sluice/packet-path';
import { LocalEnd, type LocalSection } from './local-end.ts';
import type { PeerPort, PeerWish } from './ports.ts';
import type { Publication, Publishing } from './publication.ts';
import { type RemoteEnd, type RemoteSection, readRemoteEnd } from './remote-end.ts';

export interface PeerConnectionOptions {
  readonly random: RandomBytes;
  readonly fingerprint: Fingerprint;
  readonly openPeer: (wish: PeerWish) => PeerPort;
  readonly onEvent: (event: PeerEvent) => void;
  /** Opened by this side. */
  readonly channels: readonly PeerChannel[];
  /** Is nothing to be expected of a remote track? */
  readonly isIdle: (track: string) => boolean;
}

/** What the server sends by this connection. */
export interface ReceivedTrack {
  readonly track: string;
  readonly mid: string;
  readonly kind: 'audio' | 'video';
  readonly ssrc: number;
}

export type Taken = { readonly ok: true } | { readonly ok: false; readonly what: string };

/** As much of a browser's RTCPeerConnection as a client of ours needs: descriptions on one side, a peer on the other. */
export class PeerConnection {
  readonly local: LocalEnd;
  readonly #options: PeerConnectionOptions;
  #remote: RemoteEnd | undefined;
  #trackOfMid: Readonly<Record<string, string>> = {};
  #peer: PeerPort | undefined;
  #state: 'new' | 'connecting' | 'connected' | 'ended' = 'new';

  constructor(options: PeerConnectionOptions) {
    this.#options = options;
    this.local = new LocalEnd(options);
  }

  get state(): 'new' | 'connecting' | 'connected' | 'ended' {
    return this.#state;
  }

  get peer(): PeerPort | undefined {
    return this.#peer;
  }

  /** An answer to our offer. */
  takeAnswer(sdp: string, trackOfMid: Readonly<Record<string, string>>): Taken {
    const read = readRemoteEnd(sdp);
    if (!read.ok) return read;
    return this.#take(read.remote, trackOfMid);
  }

  /** An offer; gives our answer. */
  takeOffer(sdp: string, trackOfMid: Readonly<Record<string, string>>): Taken & { readonly answer?: string } {
    const read = readRemoteEnd(sdp);
    if (!read.ok) return read;
    if (this.#remote !== undefined && isOther(this.#remote, read.remote)) this.local.restartIce();
    const answer = this.local.answer(read.remote.description);
    const taken = this.#take(read.remote, trackOfMid);
    return taken.ok ? { ok: true, answer } : taken;
  }

  received(): ReceivedTrack[] {
    return [...(this.#remote?.sections.values() ?? [])].flatMap((section) => {
      const { mid, kind, stream } = section;
      return stream === undefined ? [] : [{ track: this.#trackIn(section), mid, kind, ssrc: stream.ssrc }];
    });
  }

  /** Makes the peer send and receive what was agreed, as it should be now. */
  refresh(): void {
    const remote = this.#remote;
    if (remote !== undefined) this.#peer?.setMedia(this.#media(remote));
  }

  close(how: 'goodbye' | 'without-a-word'): void {
    this.#state = 'ended';
    if (how === 'goodbye') this.#peer?.close();
    else this.#peer?.vanish();
  }

  #take(remote: RemoteEnd, trackOfMid: Readonly<Record<string, string>>): Taken {
    const [first] = remote.addresses;
    if (first === undefined) return { ok: false, what: 'no candidate' };
    const { address, port } = first;
    const server = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    const transport = { server, local: this.local.ice, remote: remote.credentials };
    const before = this.#remote;
    this.#remote = remote;
    this.#trackOfMid = trackOfMid;
    if (this.#peer === undefined) this.#open(transport, remote);
    else if (before !== undefined && isOther(before, remote)) this.#peer.restart(transport);
    this.refresh();
    return { ok: true };
  }

  #open(transport: Pick<PeerWish, 'server' | 'local' | 'remote'>, remote: RemoteEnd): void {
    const { openPeer, channels } = this.#options;
    const { maxMessageBytes, fingerprints, dtlsRole } = remote;
    this.#state = 'connecting';
    this.#peer = openPeer({
      ...transport,
      // We offer `actpass`, and answer `active`.
      dtlsRole: dtlsRole === 'client' ? 'server' : 'client',
      remoteFingerprints: fingerprints,
      data: maxMessageBytes === undefined ? undefined : { remoteMaxMessageBytes: maxMessageBytes, channels },
      onEvent: (event) => this.#event(event),
    });
  }

  #event(event: PeerEvent): void {
    if (this.#state === 'ended') return;
    if (event.type === 'connected') this.#state = 'connected';
    if (event.type === 'ended') this.#state = 'ended';
    this.#options.onEvent(event);
  }

  #trackIn({ mid, stream }: RemoteSection): string {
    return this.#trackOfMid[mid] ?? stream?.track ?? '';
  }

  #media(remote: RemoteEnd): PeerMedia {
    const video: PeerCamera[] = [];
    const audio: PeerMicrophone[] = [];
    const sinks: PeerSink[] = [];
    for (const section of this.local.sections) {
      const agreed = remote.sections.get(section.mid);
      if (agreed === undefined || !isSending(section) || !agreed.receives) continue;
      const { publication } = section;
      const { wish } = publication;
      if (wish.kind === 'video') video.push(cameraOf(publication, wish, agreed));
      else audio.push(microphoneOf(publication, wish, agreed));
    }
    for (const section of remote.sections.values()) sinks.push(...this.#sinkOf(section));
    const transportCc = [...remote.sections.values()].some((section) => section.transportCc && section.sends);
    return { headerExtensions: remote.headerExtensions, transportCc, video, audio, sinks };
  }

  #sinkOf(section: RemoteSection): PeerSink[] {
    const { stream, kind, mid, codecs, nack } = section;
    if (stream === undefined) return [];
    const { ssrc, rtxSsrc } = stream;
    const idle = this.#options.isIdle(this.#trackIn(section));
    return [{ ssrc, ...(rtxSsrc === undefined ? {} : { rtxSsrc }), kind, mid, codecs, nack, idle }];
  }
}

type SendingSection = LocalSection & { readonly publication: Publication };

const isSending = (section: LocalSection): section is SendingSection =>
  section.publication !== undefined && !section.ended;

const isOther = (one: RemoteEnd, other: RemoteEnd): boolean =>
  one.credentials.usernameFragment !== other.credentials.usernameFragment ||
  one.credentials.password !== other.credentials.password;

const DEFAULT_FRAMES_PER_SECOND = 30;
/** Below a third of what it was made for, a layer is not worth sending. */
const LEAST_SHARE = 3;

function cameraOf(
  { layers, muted, wantedRids }: Publication,
  { framesPerSecond = DEFAULT_FRAMES_PER_SECOND, temporalLayers = 1 }: Publishing & { kind: 'video' },
  { mid, codecs }: RemoteSection,
): PeerCamera {
  const vp8 = codecs.find(({ codec }) => codec === 'vp8');
  return {
    mid,
    payloadType: vp8?.payloadType ?? 0,
    ...(vp8?.rtxPayloadType === undefined ? {} : { rtxPayloadType: vp8.rtxPayloadType }),
    framesPerSecond,
    temporalLayers,
    muted: muted || vp8 === undefined,
    encodings: layers.map(({ rid, ssrc, rtxSsrc, widthPx, heightPx, bitrateBps }) => ({
      ssrc,
      rtxSsrc,
      rid,
      maxBitsPerSecond: bitrateBps,
      minBitsPerSecond: layers.length > 1 ? Math.floor(bitrateBps / LEAST_SHARE) : 0,
      width: widthPx,
      height: heightPx,
      active: wantedRids?.has(rid) ?? true,
    })),
  };
}

/** Conversational speech. */
const DEFAULT_LEVEL = 20;

function microphoneOf(
  { layers, muted }: Publication,
  { level = DEFAULT_LEVEL, red = false }: Publishing & { kind: 'audio' },
  { mid, codecs }: RemoteSection,
): PeerMicrophone {
  const opus = codecs.find(({ codec }) => codec === 'opus');
  const redundant = red ? codecs.find(({ codec }) => codec === 'red') : undefined;
  const [layer] = layers;
  return {
    mid,
    payloadType: opus?.payloadType ?? 0,
    ...(redundant === undefined ? {} : { redPayloadType: redundant.payloadType }),
    ssrc: layer?.ssrc ?? 1,
    bitsPerSecond: layer?.bitrateBps ?? 1,
    level,
    muted: muted || opus === undefined,
  };
}
