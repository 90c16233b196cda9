import type { CodecSpec, OutgoingTrackSpec, RandomBytes, TrackId } from '@sluice/contracts';
import type { Msid, Source, SourceGroup } from '@sluice/sdp';
import type { MediaKind, WantedTrack } from './terms.ts';

/**
 * A section in which the client can receive. Which track stands in it is what this file is about: a track never
 * moves, and the next one comes only when the client has seen the section silent; else browsers would show the old
 * track with the new one's pictures and tell nobody.
 */
export interface Slot {
  readonly mid: string;
  readonly kind: MediaKind;
  readonly track: PlacedTrack | undefined;
  /** The track that the client may take the section to carry: what was last agreed, or offered since. */
  readonly shown: TrackId | undefined;
}

/** A wanted track that has its section. */
export interface PlacedTrack {
  readonly wanted: WantedTrack;
  /** New for each placing: a stream that ended and one that begins must never share one (RFC 3711 §9.1). */
  readonly ssrc: number;
  /** Of video; used when the format that was agreed has RTX. */
  readonly rtxSsrc: number | undefined;
  /** Declined: the client has seen it and does not want to receive by this section. */
  readonly state: 'new' | 'agreed' | 'declined';
  /** What client and we have agreed; empty until then. */
  readonly codecs: readonly CodecSpec[];
}

/** SSRCs that are used up by a session: all below `next`, counted from a random start. */
export interface SsrcRange {
  readonly next: number;
  /** SSRCs that the client's own streams have. */
  readonly taken: ReadonlySet<number>;
}

export interface PlacingRules<S extends Slot> {
  /** Can this section carry it? */
  readonly supports: (slot: S, wanted: WantedTrack) => boolean;
}

const sameTrack = (placed: PlacedTrack, wanted: WantedTrack): boolean =>
  placed.wanted.track === wanted.track && placed.wanted.mimeType === wanted.mimeType;

/** Each track once, as it is said last. */
export const uniqueTracks = (wanted: readonly WantedTrack[]): WantedTrack[] => [
  ...new Map(wanted.map((each) => [each.track, each])).values(),
];

/** The slots without the tracks that are not wanted any more; the others learn what is new of them (`paused`, `wish`). */
export function dropUnwanted<S extends Slot>(slots: readonly S[], wanted: readonly WantedTrack[]): S[] {
  const byId = new Map(wanted.map((each) => [each.track, each]));
  return slots.map((slot) => {
    if (!slot.track) return slot;
    const still = byId.get(slot.track.wanted.track);
    const track = still && sameTrack(slot.track, still) ? { ...slot.track, wanted: still } : undefined;
    return { ...slot, track };
  });
}

/** Wanted tracks that have no slot. */
export function unplaced(slots: readonly Slot[], wanted: readonly WantedTrack[]): WantedTrack[] {
  const placed = new Set(slots.map((slot) => slot.track?.wanted.track));
  return wanted.filter(({ track }) => !placed.has(track));
}

/** May this track stand in this empty slot now? */
function isOpen(slot: Slot, wanted: WantedTrack): boolean {
  if (slot.kind !== wanted.kind) return false;
  // It left and comes back before the client heard of it: for the client nothing changes but the SSRC.
  return slot.shown === undefined || slot.shown === wanted.track;
}

/** Puts wanted tracks into open slots, in their order. Those that find none are left for the caller. */
export function place<S extends Slot>(
  slots: readonly S[],
  wanted: readonly WantedTrack[],
  ssrcs: SsrcRange,
  rules: PlacingRules<S>,
): { readonly slots: readonly S[]; readonly ssrcs: SsrcRange; readonly left: readonly WantedTrack[] } {
  const placed = new Map<string, S>();
  const left: WantedTrack[] = [];
  let empty = slots.filter(({ track }) => !track);
  let range = ssrcs;
  for (const each of unplaced(slots, wanted)) {
    const slot = empty.find((candidate) => isOpen(candidate, each) && rules.supports(candidate, each));
    if (!slot) {
      left.push(each);
      continue;
    }
    const made = placeTrack(each, range);
    range = made.ssrcs;
    placed.set(slot.mid, { ...slot, track: made.track });
    empty = empty.filter((candidate) => candidate !== slot);
  }
  return { slots: slots.map((slot) => placed.get(slot.mid) ?? slot), ssrcs: range, left };
}

export function placeTrack(wanted: WantedTrack, ssrcs: SsrcRange): { track: PlacedTrack; ssrcs: SsrcRange } {
  const media = nextSsrc(ssrcs);
  const rtx = wanted.kind === 'video' ? nextSsrc(media.ssrcs) : { ssrc: undefined, ssrcs: media.ssrcs };
  return { track: { wanted, ssrc: media.ssrc, rtxSsrc: rtx.ssrc, state: 'new', codecs: [] }, ssrcs: rtx.ssrcs };
}

export function startSsrcs(random: RandomBytes): SsrcRange {
  return { next: random(4).reduce((sum, byte) => sum * 256 + byte, 0), taken: new Set() };
}

function nextSsrc(ssrcs: SsrcRange): { ssrc: number; ssrcs: SsrcRange } {
  let ssrc = ssrcs.next;
  // 0 is left out because it is what unset looks like.
  while (ssrc === 0 || ssrcs.taken.has(ssrc)) ssrc = (ssrc + 1) >>> 0;
  return { ssrc, ssrcs: { ...ssrcs, next: (ssrc + 1) >>> 0 } };
}

/** What the packet path shall send: tracks that are placed and agreed. */
export function outgoingSpecs(slots: readonly Slot[]): OutgoingTrackSpec[] {
  return slots.flatMap(({ mid, kind, track }) => {
    if (track?.state !== 'agreed') return [];
    const { wanted, ssrc, rtxSsrc, codecs } = track;
    const spec = { track: wanted.track, kind, mid, ssrc, codecs: [...codecs], paused: wanted.paused };
    const wish = wanted.wish === undefined ? {} : { wish: wanted.wish };
    const repaired = codecs.some(({ rtxPayloadType }) => rtxPayloadType !== undefined);
    return [repaired && rtxSsrc !== undefined ? { ...spec, rtxSsrc, ...wish } : { ...spec, ...wish }];
  });
}

export const midToTrackId = (slots: readonly Slot[]): Record<string, TrackId> =>
  Object.fromEntries(slots.flatMap(({ mid, track }) => (track ? [[mid, track.wanted.track]] : [])));

/** The client still has to hear of a change in this section. */
export const isUnsettled = (slot: Slot): boolean =>
  slot.track ? slot.track.state === 'new' : slot.shown !== undefined;

/** Where the tracks stand that have no slot yet. */
export interface Waiting {
  readonly unsupported: readonly TrackId[];
  /** The next exchange will find these a slot. */
  readonly placeable: number;
  /** These need sections that are not there. */
  readonly sectionless: Readonly<Record<MediaKind, number>>;
}

export function assessWaiting<S extends Slot>(
  slots: readonly S[],
  wanted: readonly WantedTrack[],
  rules: PlacingRules<S> & { readonly isUnsupported: (wanted: WantedTrack) => boolean },
): Waiting {
  const waiting = unplaced(slots, wanted);
  const supported = waiting.filter((each) => !rules.isUnsupported(each));
  const { left } = place(slots, supported, { next: 1, taken: new Set() }, rules);
  const count = (kind: MediaKind): number => left.filter((each) => each.kind === kind).length;
  return {
    unsupported: waiting.flatMap((each) => (rules.isUnsupported(each) ? [each.track] : [])),
    placeable: supported.length - left.length,
    sectionless: { audio: count('audio'), video: count('video') },
  };
}

/** What the section that carries a track says of its stream. */
export interface StreamDescription {
  readonly msids: readonly Msid[];
  readonly sources: readonly Source[];
  readonly sourceGroups: readonly SourceGroup[];
}

export const noStream: StreamDescription = { msids: [], sources: [], sourceGroups: [] };

export function describeStream(
  { wanted, ssrc, rtxSsrc }: PlacedTrack,
  rtx: 'with-rtx' | 'without-rtx',
): StreamDescription {
  // SDKs cut the stream's id at `|` and look each half up by its prefix.
  const msid = { stream: `${wanted.participant}|${wanted.track}`, track: wanted.track };
  const ssrcs = rtx === 'with-rtx' && rtxSsrc !== undefined ? [ssrc, rtxSsrc] : [ssrc];
  return {
    msids: [msid],
    sources: ssrcs.map((each) => ({ ssrc: each, cname: wanted.participant, msid })),
    sourceGroups: ssrcs.length > 1 ? [{ semantics: 'FID', ssrcs }] : [],
  };
}
