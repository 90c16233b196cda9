import { type RandomBytes, randomBase62, type TrackId, type TrackSource } from '@sluice/contracts';

/** What a client wants to send. */
export type Publishing = PublishingAudio | PublishingVideo;

export interface PublishingAudio {
  readonly kind: 'audio';
  readonly source?: TrackSource;
  readonly bitrateBps?: number;
  /** In -dBov (RFC 6464): 0 is loudest. */
  readonly level?: number;
  /** With redundancy (RFC 2198), where the server takes it. */
  readonly red?: boolean;
}

export interface PublishingVideo {
  readonly kind: 'video';
  readonly source?: TrackSource;
  readonly widthPx?: number;
  readonly heightPx?: number;
  readonly framesPerSecond?: number;
  readonly bitrateBps?: number;
  /** In three qualities, or two when it is small. */
  readonly simulcast?: boolean;
  readonly temporalLayers?: number;
}

/** One encoding of a published track. */
export interface Layer {
  /** Empty: the only one. */
  readonly rid: string;
  readonly ssrc: number;
  readonly rtxSsrc: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly bitrateBps: number;
}

/** A track that a client publishes, or is about to. `cid` is the client's own id of it. */
export class Publication {
  readonly cid: string;
  readonly wish: Publishing;
  readonly source: TrackSource;
  /** Audio has one without a size. */
  readonly layers: readonly Layer[];
  /** The server's id; undefined until it gave one. */
  track: TrackId | undefined;
  muted = false;
  /** Layers that nobody needs are not sent; all when undefined. */
  wantedRids: ReadonlySet<string> | undefined;

  constructor(wish: Publishing, random: RandomBytes) {
    this.cid = randomBase62(random, 20);
    this.wish = wish;
    this.source = wish.source ?? (wish.kind === 'audio' ? 'microphone' : 'camera');
    this.layers = wish.kind === 'audio' ? [audioLayer(wish, random)] : videoLayers(wish, random);
  }

  /** By which a sink at the other end knows whose packets it gets: see `ReceivedStreamReport.source`. */
  get mark(): number {
    return this.layers[0]?.ssrc ?? 0;
  }
}

const DEFAULT_AUDIO_BPS = 32_000;
const DEFAULT_VIDEO_BPS = 1_500_000;

function audioLayer({ bitrateBps = DEFAULT_AUDIO_BPS }: PublishingAudio, random: RandomBytes): Layer {
  return { rid: '', ...makeSsrcs(random), widthPx: 0, heightPx: 0, bitrateBps };
}

/** RIDs and sizes as LiveKit's SDKs choose them: three from 960 pixels up, two from 480. */
function videoLayers(wish: PublishingVideo, random: RandomBytes): Layer[] {
  const { widthPx = 1280, heightPx = 720, bitrateBps = DEFAULT_VIDEO_BPS, simulcast = false } = wish;
  const long = Math.max(widthPx, heightPx);
  const scales = !simulcast ? [1] : long >= 960 ? [4, 2, 1] : long >= 480 ? [2, 1] : [1];
  return scales.map((scale, index) => ({
    rid: scales.length > 1 ? 'qhf'.charAt(index) : '',
    ...makeSsrcs(random),
    widthPx: Math.round(widthPx / scale),
    heightPx: Math.round(heightPx / scale),
    // A quarter of the pixels takes about a quarter of the bits.
    bitrateBps: Math.round(bitrateBps / scale ** 2),
  }));
}

function makeSsrcs(random: RandomBytes): { ssrc: number; rtxSsrc: number } {
  const bytes = Buffer.from(random(8));
  // 0 is no SSRC, and 1 is what receivers report under.
  return { ssrc: Math.max(2, bytes.readUInt32BE(0)), rtxSsrc: Math.max(2, bytes.readUInt32BE(4)) };
}
