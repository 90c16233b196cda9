import type { IncomingStreamSpec, IncomingTrackSpec, TrackId } from '@sluice/contracts';
import { isRejected, type RtpSection, type Simulcast, sends } from '@sluice/sdp';
import type { OfferedSection } from './client-offer.ts';
import { codecSpec, type Format, publishingFormats } from './formats.ts';
import type { PendingTrack } from './terms.ts';

/** A track that stands in one of the client's sections. What was announced of it is kept: every answer says it again. */
export interface Publication {
  readonly mid: string;
  readonly pending: PendingTrack;
}

export interface Publications {
  readonly standing: readonly Publication[];
  /** Of those the ones that are new. */
  readonly published: readonly Publication[];
  readonly unpublished: readonly TrackId[];
  readonly unpublishable: readonly TrackId[];
  /** Sections that send a track we have ended; see `revoke`. */
  readonly revokedMids: readonly string[];
}

/**
 * Which section sends which track (RFC 8830: the msid's second word is the client's id of it). A standing track stays
 * with its section while that sends, even if the msid changes: Firefox does so when an app replaces the track. A
 * section that nothing else explains takes the oldest track of its kind that still waits.
 */
export function matchPublications(
  before: Pick<Publications, 'standing' | 'revokedMids'>,
  offered: readonly OfferedSection[],
  pending: readonly PendingTrack[],
): Publications {
  const sending = offered.flatMap(({ section, accepted, formats }) =>
    section.type === 'rtp' && !isRejected(section) && sends(section.direction)
      ? [{ section, named: namedTracks(section), accepted: accepted && formats.length > 0 }]
      : [],
  );
  const standing = new Map(before.standing.map((each) => [each.mid, each]));
  const waiting = new Map(pending.map((each) => [each.track, each]));
  for (const { pending: each } of before.standing) waiting.delete(each.track);

  const found = new Map<string, PendingTrack>();
  for (const { section, named } of sending) {
    const isNamed = ({ kind, cids }: PendingTrack): boolean =>
      kind === section.kind && cids.some((cid) => named.has(cid));
    const exact = [...waiting.values()].find(isNamed);
    if (!exact) continue;
    found.set(section.mid, exact);
    waiting.delete(exact.track);
  }
  const revokedMids = before.revokedMids.filter(
    (mid) => !found.has(mid) && sending.some(({ section }) => section.mid === mid),
  );
  for (const { section } of sending) {
    if (found.has(section.mid) || standing.has(section.mid) || revokedMids.includes(section.mid)) continue;
    const oldest = [...waiting.values()].find(({ kind }) => kind === section.kind);
    if (!oldest) continue;
    found.set(section.mid, oldest);
    waiting.delete(oldest.track);
  }

  const kept: Publication[] = [];
  const published: Publication[] = [];
  const unpublishable: TrackId[] = [];
  for (const { section, accepted } of sending) {
    const fresh = found.get(section.mid);
    const old = standing.get(section.mid);
    if (fresh && !accepted) unpublishable.push(fresh.track);
    else if (fresh) published.push({ mid: section.mid, pending: fresh });
    else if (old && accepted && old.pending.kind === section.kind) kept.push(old);
  }
  const keptTracks = new Set(kept.map((each) => each.pending.track));
  return {
    standing: [...kept, ...published],
    published,
    unpublished: before.standing.flatMap(({ pending: { track } }) => (keptTracks.has(track) ? [] : [track])),
    unpublishable,
    revokedMids,
  };
}

/** The client's ids of what a section sends; older clients say them of each SSRC. */
function namedTracks({ msids, sources }: RtpSection): ReadonlySet<string> {
  const all = [...msids, ...sources.flatMap(({ msid }) => (msid ? [msid] : []))];
  return new Set(all.map(({ track }) => track).filter((track) => track !== ''));
}

/** SessionSpec has room for as many; browsers send three. */
const MAX_STREAMS = 16;
const MAX_RID_LENGTH = 16;

/** RIDs that the section sends and that can be told apart (RFC 8852 §3); empty: one stream. */
export function simulcastRids(section: RtpSection, hasRidExtension: boolean): string[] {
  if (!hasRidExtension) return [];
  const known = new Set(section.rids.filter(({ direction }) => direction === 'send').map(({ id }) => id));
  const listed = section.simulcast?.send.flatMap(([first]) => (first ? [first.rid] : [])) ?? [...known];
  const rids = [...new Set(listed)].filter((rid) => known.has(rid) && rid.length <= MAX_RID_LENGTH);
  return rids.length <= MAX_STREAMS ? rids : [];
}

/** How we answer simulcast: every stream, each by the first of its alternatives (RFC 8853 §5.3.2). */
export const answerSimulcast = (section: RtpSection, rids: readonly string[]): Simulcast | undefined =>
  section.simulcast && rids.length > 0 ? { send: [], receive: rids.map((rid) => [{ rid, paused: false }]) } : undefined;

/** The streams that the packet path shall expect. */
export function incomingStreams(section: RtpSection, rids: readonly string[]): IncomingStreamSpec[] {
  if (rids.length > 0) return rids.map((rid) => ({ rid }));
  // RFC 5576 §4.2: FID pairs a stream with its RTX; whatever else a group repairs is no stream of its own.
  const repairs = new Map<number, number>();
  const secondary = new Set<number>();
  for (const { semantics, ssrcs } of section.sourceGroups) {
    const [primary, ...others] = ssrcs;
    if (primary === undefined || semantics === 'SIM') continue;
    for (const each of others) secondary.add(each);
    if (semantics === 'FID' && others[0] !== undefined) repairs.set(primary, others[0]);
  }
  return section.sources
    .filter(({ ssrc }) => ssrc !== 0 && !secondary.has(ssrc))
    .slice(0, MAX_STREAMS)
    .map(({ ssrc }) => {
      const rtxSsrc = repairs.get(ssrc);
      return rtxSsrc ? { ssrc, rtxSsrc, rid: '' } : { ssrc, rid: '' };
    });
}

/** What was settled of a publication in an answer. */
export interface Settled {
  readonly section: RtpSection;
  readonly formats: readonly Format[];
  readonly rids: readonly string[];
  readonly hasTransportCc: boolean;
}

export function incomingSpec({ mid, pending }: Publication, settled: Settled): IncomingTrackSpec {
  const { section, rids, hasTransportCc } = settled;
  const formats = publishingFormats(settled.formats, pending.codec);
  const hasFeedback = (feedback: string): boolean => formats.some(({ codec }) => codec.feedback.includes(feedback));
  return {
    track: pending.track,
    kind: section.kind,
    mid,
    codecs: formats.map(codecSpec),
    streams: incomingStreams(section, rids),
    nack: hasFeedback('nack'),
    transportCc: hasTransportCc && hasFeedback('transport-cc'),
  };
}
