import { isRejected, type RtpSection, type Section } from '@sluice/sdp';
import { readDescription, sectionKind } from './client-offer.ts';
import { type Refusal, refuse } from './refusal.ts';
import { type DtlsRole, offeringRole, type RemoteTransport, readRemoteTransport } from './remote-transport.ts';

/** A client's answer to an offer of ours. */
export interface ClientAnswer {
  readonly remote: RemoteTransport;
  readonly role: DtlsRole;
  /** By mid, those that the client took. */
  readonly accepted: ReadonlyMap<string, Section>;
}

/** What stood in the offer, in order. */
export interface OfferedPlace {
  readonly mid: string;
  readonly kind: string;
}

export function readClientAnswer(text: string, places: readonly OfferedPlace[]): ClientAnswer | Refusal {
  const description = readDescription(text, places.length);
  if ('ok' in description) return description;
  if (description.iceLite) return refuse('ice-lite-peer', 'a=ice-lite in an answer: both ends would wait');
  const { sections } = description;
  if (sections.length !== places.length) {
    return refuse('sections-changed', `${sections.length} sections answer ${places.length}`);
  }
  for (const [index, place] of places.entries()) {
    const section = sections[index];
    if (!section || sectionKind(section) !== place.kind || !isAnswerTo(section, place)) {
      return refuse('sections-changed', `section ${index} has another mid or kind`);
    }
  }
  const first = sections.find((section) => !isRejected(section));
  const group = new Set(description.bundleGroups[0] ?? (first ? [first.mid] : []));
  const accepted = new Map(
    sections.filter((section) => !isRejected(section) && group.has(section.mid)).map((each) => [each.mid, each]),
  );
  const bundled = [...group].flatMap((mid) => accepted.get(mid) ?? []);
  if (bundled.length === 0) return refuse('nothing-to-negotiate', 'every section is rejected');
  const remote = readRemoteTransport(bundled);
  if ('ok' in remote) return remote;
  const role = offeringRole(remote.setup);
  if (!role) return refuse('bad-setup', 'an answer to actpass must say active or passive');
  return { remote, role, accepted };
}

/** A rejected section may come without its mid (RFC 8829 §5.3.1 lets the answerer leave everything out). */
const isAnswerTo = (section: Section, place: OfferedPlace): boolean =>
  section.mid === place.mid || (isRejected(section) && section.mid === '');

export const answeredRtp = (answer: ClientAnswer, mid: string): RtpSection | undefined => {
  const section = answer.accepted.get(mid);
  return section?.type === 'rtp' ? section : undefined;
};
