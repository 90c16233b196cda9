import {
  AddTrackRequest,
  MuteTrackRequest,
  TrackSource as ProtocolSource,
  type SignalRequest,
  SimulcastCodec,
  type SubscribedQualityUpdate,
  TrackInfo,
  TrackPublishedResponse,
  TrackType,
  UpdateTrackSettings,
  VideoLayer,
  VideoQuality,
} from '@livekit/protocol';
import type { TrackSource } from '@sluice/contracts';
import type { Layer, Publication } from './publication.ts';

/** What a client says. */
export type ClientMessage = Exclude<SignalRequest['message'], { case: undefined }>;

const sources: Readonly<Record<TrackSource, ProtocolSource>> = {
  unknown: ProtocolSource.UNKNOWN,
  camera: ProtocolSource.CAMERA,
  microphone: ProtocolSource.MICROPHONE,
  'screen-share': ProtocolSource.SCREEN_SHARE,
  'screen-share-audio': ProtocolSource.SCREEN_SHARE_AUDIO,
};

export function addTrackMessage({ cid, wish, source, layers, muted }: Publication): ClientMessage {
  const common = { cid, name: source, source: sources[source], muted };
  if (wish.kind === 'audio') {
    return {
      case: 'addTrack',
      value: new AddTrackRequest({ ...common, type: TrackType.AUDIO, disableRed: wish.red !== true }),
    };
  }
  const top = layers.at(-1);
  const videoLayers = layers.map((layer, index) => videoLayer(layer, index, layers.length));
  return {
    case: 'addTrack',
    value: new AddTrackRequest({
      ...common,
      type: TrackType.VIDEO,
      width: top?.widthPx ?? 0,
      height: top?.heightPx ?? 0,
      layers: videoLayers,
      simulcastCodecs: [new SimulcastCodec({ codec: 'vp8', cid, layers: videoLayers })],
    }),
  };
}

/** The highest of several is HIGH, one alone too; the lowest LOW. */
export const qualityOf = (index: number, count: number): VideoQuality =>
  index === count - 1 ? VideoQuality.HIGH : index === 0 ? VideoQuality.LOW : VideoQuality.MEDIUM;

function videoLayer({ widthPx, heightPx, bitrateBps, rid, ssrc }: Layer, index: number, count: number): VideoLayer {
  return new VideoLayer({
    quality: qualityOf(index, count),
    width: widthPx,
    height: heightPx,
    bitrate: bitrateBps,
    rid,
    // Browsers tell SSRCs only where nothing else does.
    ssrc: rid === '' ? ssrc : 0,
  });
}

export const muteMessage = (sid: string, muted: boolean): ClientMessage => ({
  case: 'mute',
  value: new MuteTrackRequest({ sid, muted }),
});

export type WatchedQuality = 'low' | 'medium' | 'high';

const watchedQualities: Readonly<Record<WatchedQuality, VideoQuality>> = {
  low: VideoQuality.LOW,
  medium: VideoQuality.MEDIUM,
  high: VideoQuality.HIGH,
};

export const watchMessage = (trackSids: string[], quality: WatchedQuality): ClientMessage => ({
  case: 'trackSetting',
  value: new UpdateTrackSettings({ trackSids, quality: watchedQualities[quality] }),
});

/** What a client that comes back says it publishes. */
export const publishedTracks = (publications: Iterable<Publication>): TrackPublishedResponse[] =>
  [...publications].flatMap(({ cid, track, muted, wish }) => {
    if (track === undefined) return [];
    const type = wish.kind === 'audio' ? TrackType.AUDIO : TrackType.VIDEO;
    return [new TrackPublishedResponse({ cid, track: new TrackInfo({ sid: track, type, muted }) })];
  });

/** The RIDs that somebody needs (dynacast). */
export function wantedRids(
  { subscribedQualities, subscribedCodecs }: SubscribedQualityUpdate,
  layers: readonly Layer[],
): ReadonlySet<string> {
  const qualities =
    subscribedCodecs.find(({ codec }) => codec.toLowerCase() === 'vp8')?.qualities ?? subscribedQualities;
  const enabled = new Set(qualities.filter(({ enabled }) => enabled).map(({ quality }) => quality));
  return new Set(layers.filter((_, index) => enabled.has(qualityOf(index, layers.length))).map(({ rid }) => rid));
}
