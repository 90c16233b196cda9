import { type AddTrackRequest, RequestResponse_Reason, TrackType, VideoLayer_Mode } from '@livekit/protocol';
import type { Permissions, TrackId, TrackView, VideoLayer } from '@sluice/contracts';
import { carriedMimeTypes } from '../negotiation/index.ts';
import { encryptionOf, qualityOf, sourceOf } from './enums.ts';

/** A track that a client announced and has not yet put into an offer. */
export interface AnnouncedTrack {
  /** The track token of its `a=msid`. */
  readonly cid: string;
  /** Its codecs' own ids, if they have any; `cid` first. */
  readonly cids: readonly string[];
  readonly view: TrackView;
}

/** Why a request of a client was refused, for its `request_response`. */
export interface Refusal {
  readonly reason: RequestResponse_Reason;
  readonly message: string;
}

const refusal = (reason: RequestResponse_Reason, message: string): { ok: false; refusal: Refusal } => ({
  ok: false,
  refusal: { reason, message },
});

export type ReadAddTrack =
  | { readonly ok: true; readonly kind: 'audio' | 'video'; readonly source: TrackView['source'] }
  | { readonly ok: false; readonly refusal: Refusal };

const LONGEST_NAME_CHARACTERS = 256;
/** One to send first, one to fall back to; some SDKs name every codec that they could. */
const MOST_CODECS = 8;
const MOST_LAYERS = 16;
const MOST_FEATURES = 16;
/** Wider than any screen; clients sometimes send nonsense. */
const LARGEST_PX = 65_535;

/** Whether an `add_track` makes sense and is allowed. */
export function readAddTrack(request: AddTrackRequest, permissions: Permissions): ReadAddTrack {
  const { NOT_ALLOWED, INVALID_REQUEST, UNSUPPORTED_TYPE } = RequestResponse_Reason;
  if (request.type !== TrackType.AUDIO && request.type !== TrackType.VIDEO) {
    return refusal(UNSUPPORTED_TYPE, 'only audio and video tracks are published by add_track');
  }
  if (request.sid !== '') return refusal(UNSUPPORTED_TYPE, 'a second codec for a published track is not supported');
  if (request.cid === '') return refusal(INVALID_REQUEST, 'a track needs a cid');
  const codecs = request.simulcastCodecs;
  const texts = [request.cid, request.name, request.stream, ...codecs.slice(0, MOST_CODECS).map(({ cid }) => cid)];
  if (texts.some((text) => text.length > LONGEST_NAME_CHARACTERS)) {
    return refusal(INVALID_REQUEST, `cid, name and stream may have ${LONGEST_NAME_CHARACTERS} characters`);
  }
  if (codecs.length > MOST_CODECS) return refusal(INVALID_REQUEST, `a track may have ${MOST_CODECS} codecs`);
  const source = sourceOf(request.source);
  if (!permissions.canPublish) return refusal(NOT_ALLOWED, 'the participant may not publish');
  if (permissions.canPublishSources.length > 0 && !permissions.canPublishSources.includes(source)) {
    return refusal(NOT_ALLOWED, `the participant may not publish from source ${source}`);
  }
  return { ok: true, kind: request.type === TrackType.AUDIO ? 'audio' : 'video', source };
}

/** The track as it will be shown, once its SDP has come; its codec is the one asked for if we have it. */
export function announcedTrack(
  request: AddTrackRequest,
  read: ReadAddTrack & { ok: true },
  track: TrackId,
): AnnouncedTrack {
  const { kind, source } = read;
  const layers = kind === 'audio' ? [] : layersOf(request);
  const features = request.audioFeatures.slice(0, MOST_FEATURES);
  return {
    cid: request.cid,
    cids: [...new Set([request.cid, ...request.simulcastCodecs.map(({ cid }) => cid)])].filter((cid) => cid !== ''),
    view: {
      track,
      kind,
      source,
      name: request.name,
      muted: request.muted,
      widthPx: pixels(request.width),
      heightPx: pixels(request.height),
      mimeType: kind === 'audio' ? 'audio/opus' : wantedMimeType(request),
      simulcast: layers.length > 1 && !isSvc(request),
      layers,
      stereo: request.stereo || features.includes(0),
      disableDtx: request.disableDtx || features.includes(1),
      disableRed: request.disableRed,
      encryption: encryptionOf(request.encryption),
      stream: request.stream,
      audioFeatures: features,
    },
  };
}

/** What a publisher asks for, if we carry it; asking for another one gives VP8, and for none what its SDP prefers. */
function wantedMimeType(request: AddTrackRequest): string {
  const wanted = request.simulcastCodecs[0]?.codec.toLowerCase().replace(/^video\//, '') ?? '';
  if (wanted === '') return '';
  return carriedMimeTypes.find((mimeType) => mimeType.toLowerCase() === `video/${wanted}`) ?? 'video/VP8';
}

const isSvc = (request: AddTrackRequest): boolean =>
  request.simulcastCodecs[0]?.videoLayerMode === VideoLayer_Mode.MULTIPLE_SPATIAL_LAYERS_PER_STREAM;

function layersOf(request: AddTrackRequest): VideoLayer[] {
  const primary = request.simulcastCodecs[0]?.layers ?? [];
  const named = request.layers.length > 0 ? request.layers : primary;
  return named.slice(0, MOST_LAYERS).flatMap((layer) => {
    const quality = qualityOf(layer.quality);
    if (quality === undefined || layer.rid.length > 16) return [];
    return [
      {
        quality,
        widthPx: pixels(layer.width),
        heightPx: pixels(layer.height),
        bitrateBps: layer.bitrate,
        rid: layer.rid,
      },
    ];
  });
}

const pixels = (px: number): number => Math.min(px, LARGEST_PX);
