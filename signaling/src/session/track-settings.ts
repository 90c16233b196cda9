import type { UpdateTrackSettings } from '@livekit/protocol';
import type { TrackView, TrackWish, VideoLayer, VideoQuality } from '@sluice/contracts';
import { videoQualities } from '@sluice/contracts';
import { qualityOf } from '../messages/enums.ts';

/** What a client said of how it shows a track. */
export interface TrackSettings {
  /** It does not show it at all. */
  readonly disabled: boolean;
  readonly quality: VideoQuality;
  /** 0: it did not say. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly maxFps: number;
  readonly priority: number;
}

/** What is taken for settings until the client has said some. */
export const defaultSettings = (quality: VideoQuality): TrackSettings => ({
  disabled: false,
  quality,
  widthPx: 0,
  heightPx: 0,
  maxFps: 0,
  priority: 0,
});

/** Wider than any screen, and faster; clients sometimes send nonsense. */
const LARGEST_PX = 65_535;
const MOST_FPS = 240;
const LAST_PRIORITY = 65_535;

export function readTrackSettings(message: UpdateTrackSettings): TrackSettings {
  const quality = qualityOf(message.quality);
  return {
    disabled: message.disabled || quality === undefined,
    quality: quality ?? 'low',
    widthPx: Math.min(message.width, LARGEST_PX),
    heightPx: Math.min(message.height, LARGEST_PX),
    maxFps: Math.min(message.fps, MOST_FPS),
    priority: Math.min(message.priority, LAST_PRIORITY),
  };
}

export const sameSettings = (a: TrackSettings, b: TrackSettings): boolean =>
  a.disabled === b.disabled &&
  a.quality === b.quality &&
  a.widthPx === b.widthPx &&
  a.heightPx === b.heightPx &&
  a.maxFps === b.maxFps &&
  a.priority === b.priority;

/**
 * The best layer that has a use, by the name that the track's own list gives it: the smallest that covers the size at
 * which the track is shown, or the best that is no better than the quality asked for. Without a list, what was asked for.
 */
export function usefulQuality({ layers }: Pick<TrackView, 'layers'>, settings: TrackSettings): VideoQuality {
  const { quality, widthPx, heightPx } = settings;
  const ascending = layersOf(layers);
  const top = ascending.at(-1);
  if (top === undefined) return widthPx > 0 && heightPx > 0 ? 'high' : quality;
  if (widthPx > 0 && heightPx > 0) {
    return (ascending.find((layer) => layer.widthPx >= widthPx && layer.heightPx >= heightPx) ?? top).quality;
  }
  const within = ascending.findLast((layer) => rank(layer.quality) <= rank(quality));
  return (within ?? ascending[0] ?? top).quality;
}

/** The same for the packet path, which counts layers instead of naming them. */
export function wishOf(view: Pick<TrackView, 'layers'>, settings: TrackSettings, mayPause: boolean): TrackWish {
  const { maxFps, priority, widthPx, heightPx } = settings;
  const ascending = layersOf(view.layers);
  const useful = usefulQuality(view, settings);
  const place = ascending.findIndex(({ quality }) => quality === useful);
  const counted = place === ascending.length - 1 ? 'high' : (videoQualities[place] ?? 'high');
  return { quality: ascending.length === 0 ? useful : counted, maxFps, priority, widthPx, heightPx, mayPause };
}

/** Each quality once, the lowest first. */
const layersOf = (layers: readonly VideoLayer[]): VideoLayer[] =>
  [...new Map(layers.map((layer) => [layer.quality, layer])).values()].sort(
    (a, b) => rank(a.quality) - rank(b.quality),
  );

const rank = (quality: VideoQuality): number => videoQualities.indexOf(quality);
