import { type Description, isRejected, parseDescription, type Section } from '@sluice/sdp';
import { carriedFormats, type Format } from './formats.ts';
import { type Refusal, refuse } from './refusal.ts';
import { type RemoteTransport, readRemoteTransport } from './remote-transport.ts';

/** A client's offer that we can answer. */
export interface ClientOffer {
  readonly sections: readonly OfferedSection[];
  /** Mids of the sections that we take, in the order of the client's group: the first one's transport is used. */
  readonly bundle: readonly string[];
  readonly remote: RemoteTransport;
}

export interface OfferedSection {
  readonly section: Section;
  /** Not accepted: answered with port 0. */
  readonly accepted: boolean;
  /** Those that we carry; empty for data. */
  readonly formats: readonly Format[];
}

/** What must be the same in every later offer (RFC 8829 §5.2.2). */
export interface KnownSection {
  readonly mid: string;
  readonly kind: string;
  /** Its place may be given to another section. */
  readonly rejected: boolean;
}

/** MIDs go into packets and into the spec (RFC 9143 §15.2 wants them short). */
const MAX_MID_LENGTH = 16;

/** A client's description, if it can be read at all. */
export function readDescription(text: string, maxSections: number): Description | Refusal {
  const parsed = parseDescription(text);
  if (!parsed.ok) {
    const { reason, line, what } = parsed;
    return refuse('unreadable', `${reason}, line ${line}${what === '' ? '' : `: ${what.slice(0, 32)}`}`);
  }
  const { sections } = parsed.description;
  if (sections.length > maxSections) {
    return refuse('too-many-sections', `${sections.length} sections, at most ${maxSections}`);
  }
  return parsed.description;
}

export function readClientOffer(
  text: string,
  known: readonly KnownSection[],
  maxSections: number,
): ClientOffer | Refusal {
  const description = readDescription(text, maxSections);
  if ('ok' in description) return description;
  if (description.iceLite) return refuse('ice-lite-peer', 'a=ice-lite in an offer: both ends would wait');
  const { sections } = description;
  const fault = checkMids(sections) ?? checkPlaces(sections, known);
  if (fault) return fault;

  const usable = sections.map((section): OfferedSection => {
    const formats = section.type === 'rtp' ? carriedFormats(section.codecs, section.kind) : [];
    return { section, formats, accepted: isUsable(section, formats) };
  });
  const group = bundleOf(description, usable);
  const offered = usable.map((each) => ({ ...each, accepted: each.accepted && group.has(each.section.mid) }));
  const byMid = new Map(offered.filter(({ accepted }) => accepted).map(({ section }) => [section.mid, section]));
  const bundle = [...group].filter((mid) => byMid.has(mid));
  if (bundle.length === 0) return refuse('nothing-to-negotiate', 'no bundled section with a codec that we carry');
  const remote = readRemoteTransport(bundle.flatMap((mid) => byMid.get(mid) ?? []));
  return 'ok' in remote ? remote : { sections: offered, bundle, remote };
}

export const sectionKind = (section: Section): string => (section.type === 'rtp' ? section.kind : section.type);

/** RTP without RTCP on the same port (RFC 8834 §4.5 demands it) would need a second one. */
const isUsable = (section: Section, formats: readonly Format[]): boolean =>
  !isRejected(section) &&
  (section.type === 'data' || (section.type === 'rtp' && section.rtcpMux && formats.length > 0));

/** Without a bundle every section would need its own transport, and we have one: it is the first section's. */
function bundleOf({ bundleGroups }: Description, usable: readonly OfferedSection[]): ReadonlySet<string> {
  const first = usable.find(({ accepted }) => accepted);
  return new Set(bundleGroups[0] ?? (first ? [first.section.mid] : []));
}

function checkMids(sections: readonly Section[]): Refusal | undefined {
  const seen = new Set<string>();
  for (const [index, section] of sections.entries()) {
    if (isRejected(section) && section.mid === '') continue;
    if (section.mid === '') return refuse('bad-mid', `section ${index} has none`);
    if (section.mid.length > MAX_MID_LENGTH) {
      return refuse('bad-mid', `section ${index}: longer than ${MAX_MID_LENGTH} characters`);
    }
    if (seen.has(section.mid)) return refuse('bad-mid', `section ${index}: used before`);
    seen.add(section.mid);
  }
  return undefined;
}

function checkPlaces(sections: readonly Section[], known: readonly KnownSection[]): Refusal | undefined {
  for (const [index, before] of known.entries()) {
    const now = sections[index];
    if (!now) return refuse('sections-changed', `${sections.length} sections where there were ${known.length}`);
    if (before.rejected) continue;
    // A stopped section may lose its mid with everything else.
    if (isRejected(now) && now.mid === '') continue;
    if (now.mid !== before.mid || sectionKind(now) !== before.kind) {
      return refuse('sections-changed', `section ${index} has another mid or kind`);
    }
  }
  return undefined;
}
