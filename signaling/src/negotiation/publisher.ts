import type { CodecSpec, IceCredentials, IncomingTrackSpec, TrackId } from '@sluice/contracts';
import { type CodecName, type Origin, type RtpSection, receives, type Section, writeDescription } from '@sluice/sdp';
import {
  type AnsweredUse,
  answerDataSection,
  answerRtpSection,
  rejectSection,
  remoteMessageLimit,
} from './answer-section.ts';
import { type ClientOffer, type KnownSection, readClientOffer, sectionKind } from './client-offer.ts';
import { carriedCodecOf, codecSpec, type Format, mimeTypeOf } from './formats.ts';
import { carries, ExtensionIds } from './header-extensions.ts';
import { localTransport, makeCredentials, makeOrigin, nextVersion, withNewCredentials } from './local-transport.ts';
import { incomingSpec, matchPublications, type Publications, simulcastRids } from './publications.ts';
import type { Refusal } from './refusal.ts';
import { answeringRole, type DtlsRole, isRestart, type RemoteTransport, setupOf } from './remote-transport.ts';
import {
  assessWaiting,
  dropUnwanted,
  isUnsettled,
  midToTrackId,
  outgoingSpecs,
  place,
  type Slot,
  type SsrcRange,
  startSsrcs,
  uniqueTracks,
} from './slots.ts';
import type {
  Answer,
  MediaKind,
  NegotiatedData,
  NegotiatedSpec,
  NegotiationOptions,
  PendingTrack,
  Placement,
  PublishedTrack,
  SiteTransport,
  WantedTrack,
} from './terms.ts';

/** A section in which the client is ready to receive, with what it takes there. */
interface ReceivingSlot extends Slot {
  readonly takes: readonly CodecSpec[];
}

interface State {
  readonly origin: Origin;
  readonly localCredentials: readonly IceCredentials[];
  readonly remote: RemoteTransport | undefined;
  readonly role: DtlsRole;
  readonly known: readonly KnownSection[];
  readonly publications: Pick<Publications, 'standing' | 'revokedMids'>;
  readonly wanted: readonly WantedTrack[];
  readonly slots: readonly ReceivingSlot[];
  readonly ssrcs: SsrcRange;
  readonly headerExtensions: NegotiatedSpec['headerExtensions'];
  readonly incoming: readonly IncomingTrackSpec[];
  readonly data: NegotiatedData | undefined;
}

/**
 * The peer connection in which the client offers and we answer: a publisher's, or in single mode the only one.
 *
 * Every call gives the whole new `spec`; its owner publishes it. State changes only when a call succeeds.
 */
export class PublisherNegotiation {
  readonly #options: NegotiationOptions;
  #state: State;

  constructor(options: NegotiationOptions) {
    this.#options = options;
    this.#state = {
      origin: makeOrigin(options.random),
      localCredentials: [makeCredentials(options.random)],
      remote: undefined,
      role: options.preferredDtlsRole,
      known: [],
      publications: { standing: [], revokedMids: [] },
      wanted: [],
      slots: [],
      ssrcs: startSsrcs(options.random),
      headerExtensions: [],
      incoming: [],
      data: undefined,
    };
  }

  /** What of the session's spec stands now. Before the first offer it has our credentials and nothing else. */
  get spec(): NegotiatedSpec {
    const { localCredentials, remote, role, headerExtensions, incoming, slots, data } = this.#state;
    return {
      localCredentials: [...localCredentials],
      ...(remote ? { remoteCredentials: remote.credentials } : {}),
      dtlsRole: role,
      remoteFingerprints: remote ? [...remote.fingerprints] : [],
      headerExtensions,
      incoming: [...incoming],
      outgoing: outgoingSpecs(slots),
      ...(data ? { data } : {}),
    };
  }

  /**
   * Answers a client's offer. `pending`: the tracks announced and not yet published, oldest first. A client's ICE
   * restart is seen and answered with new credentials. Wanted tracks (`want`) are placed in sections that receive.
   */
  answer(offerSdp: string, pending: readonly PendingTrack[], site: SiteTransport): Answer | Refusal {
    const before = this.#state;
    const offer = readClientOffer(offerSdp, before.known, this.#options.maxSections);
    if ('ok' in offer) return offer;

    const publications = matchPublications(before.publications, offer.sections, pending);
    const placed = this.#place(offer);
    const restarts = isRestart(before.remote, offer.remote);
    const localCredentials = restarts
      ? withNewCredentials(before.localCredentials, this.#options.random)
      : before.localCredentials;
    const role = answeringRole(offer.remote.setup, before.role);
    const origin = nextVersion(before.origin);
    const answered = answerSections(offer, publications, placed.slots, (mid) =>
      localTransport(
        site,
        localCredentials[0],
        setupOf(role),
        mid === offer.bundle[0] ? 'with-candidates' : 'without-candidates',
      ),
    );

    this.#state = {
      ...before,
      origin,
      localCredentials,
      remote: offer.remote,
      role,
      known: offer.sections.map(({ section, accepted }) => ({
        mid: section.mid,
        kind: sectionKind(section),
        rejected: !accepted,
      })),
      publications,
      slots: placed.slots.map(agree),
      ssrcs: placed.ssrcs,
      headerExtensions: answered.headerExtensions,
      incoming: answered.incoming,
      data: dataOf(offer),
    };
    const sdp = writeDescription({
      origin,
      bundleGroups: [offer.bundle],
      iceLite: true,
      msidSemantic: 'WMS *',
      sections: answered.sections,
    });
    return {
      ok: true,
      sdp,
      ...this.#placement(),
      midToTrackId: midToTrackId(this.#state.slots),
      published: answered.published,
      unpublished: publications.unpublished,
      unpublishable: publications.unpublishable,
    };
  }

  /**
   * Single mode: says which tracks the client should have from now on, the whole list, most important first. A track
   * keeps its section; one that is no longer wanted leaves the spec at once. When `renegotiate`, send
   * `media_sections_requirement` with `missing` (0, 0 is right too: it asks for an offer).
   */
  want(wanted: readonly WantedTrack[]): Placement {
    const tracks = uniqueTracks(wanted);
    this.#state = { ...this.#state, wanted: tracks, slots: dropUnwanted(this.#state.slots, tracks) };
    return this.#placement();
  }

  /** Ends a publication from our side; its section is answered inactive from now on. */
  revoke(track: TrackId): NegotiatedSpec {
    const { publications, incoming } = this.#state;
    const ended = publications.standing.filter((each) => each.pending.track === track);
    this.#state = {
      ...this.#state,
      publications: {
        standing: publications.standing.filter((each) => !ended.includes(each)),
        revokedMids: [...publications.revokedMids, ...ended.map(({ mid }) => mid)],
      },
      incoming: incoming.filter((each) => each.track !== track),
    };
    return this.spec;
  }

  /** The next answer has new credentials even if the client does not restart. Firefox refuses such an answer. */
  renewCredentials(): void {
    const localCredentials = withNewCredentials(this.#state.localCredentials, this.#options.random);
    this.#state = { ...this.#state, localCredentials };
  }

  /** The sections of this offer in which the client receives, with the wanted tracks in them. */
  #place(offer: ClientOffer): { slots: readonly ReceivingSlot[]; ssrcs: SsrcRange } {
    const { slots, wanted, ssrcs } = this.#state;
    const known = new Map(slots.map((slot) => [slot.mid, slot]));
    const present = offer.sections.flatMap(({ section, accepted, formats }): ReceivingSlot[] => {
      if (!accepted || section.type !== 'rtp' || !receives(section.direction)) return [];
      const { mid, kind } = section;
      const before = known.get(mid);
      const takes = formats.map(codecSpec);
      // A stopped section's mid may be another kind's now.
      if (before?.kind !== kind) return [{ mid, kind, track: undefined, shown: undefined, takes }];
      const slot = { ...before, takes };
      // A client may drop a codec from a section, and with it the track.
      return [slot.track && supports(slot, slot.track.wanted) ? slot : { ...slot, track: undefined }];
    });
    const taken = new Set(
      offer.sections.flatMap(({ section }) => (section.type === 'rtp' ? section.sources.map(({ ssrc }) => ssrc) : [])),
    );
    return place(present, wanted, { ...ssrcs, taken }, { supports });
  }

  #placement(): Placement {
    const { slots, wanted, known } = this.#state;
    const takenBy = (kind: MediaKind): ReadonlySet<CodecName> =>
      new Set(slots.flatMap((slot) => (slot.kind === kind ? slot.takes.map(({ codec }) => codec) : [])));
    const taken = { audio: takenBy('audio'), video: takenBy('video') };
    const { unsupported, placeable, sectionless } = assessWaiting(slots, wanted, {
      supports,
      isUnsupported: ({ kind, mimeType }) => {
        const codec = carriedCodecOf(mimeType);
        // While there is no section of its kind, nobody knows.
        return !codec || (taken[kind].size > 0 && !taken[kind].has(codec));
      },
    });
    // A client at the limit is not asked for what would be refused.
    const room = this.#options.maxSections - known.length;
    const audio = Math.min(sectionless.audio, room);
    const missing = { audio, video: Math.min(sectionless.video, room - audio) };
    const renegotiate = placeable + missing.audio + missing.video > 0 || slots.some(isUnsettled);
    return { spec: this.spec, renegotiate, missing, unsupported };
  }
}

const formatsFor = ({ takes }: ReceivingSlot, { mimeType }: WantedTrack): CodecSpec[] => {
  const wanted = carriedCodecOf(mimeType);
  return takes.filter(({ codec }) => codec === wanted);
};

const supports = (slot: ReceivingSlot, wanted: WantedTrack): boolean => formatsFor(slot, wanted).length > 0;

/** Our answer is the last word: what it says, the client has. */
function agree(slot: ReceivingSlot): ReceivingSlot {
  if (!slot.track) return { ...slot, shown: undefined };
  const codecs = formatsFor(slot, slot.track.wanted);
  return { ...slot, track: { ...slot.track, state: 'agreed', codecs }, shown: slot.track.wanted.track };
}

/** The client opens the channels (RFC 8832), so the spec names none. */
function dataOf(offer: ClientOffer): NegotiatedData | undefined {
  for (const { section, accepted } of offer.sections) {
    if (!accepted || section.type !== 'data') continue;
    return { sctpPort: section.sctpPort, remoteMaxMessageBytes: remoteMessageLimit(section), channels: [] };
  }
  return undefined;
}

interface AnsweredSections extends Pick<NegotiatedSpec, 'headerExtensions' | 'incoming'> {
  readonly sections: readonly Section[];
  readonly published: readonly PublishedTrack[];
}

function answerSections(
  offer: ClientOffer,
  publications: Publications,
  slots: readonly Slot[],
  transportOf: (mid: string) => Section['transport'],
): AnsweredSections {
  const ids = new ExtensionIds();
  const incoming: IncomingTrackSpec[] = [];
  const published: PublishedTrack[] = [];
  const answerRtp = (section: RtpSection, formats: readonly Format[]): Section => {
    const publication = publications.standing.find(({ mid }) => mid === section.mid);
    const extensions = ids.accept(section);
    const rids = simulcastRids(section, carries(extensions, 'rid'));
    const slot = slots.find(({ mid }) => mid === section.mid);
    const use: AnsweredUse = { formats, extensions, rids, publication, slot };
    if (publication) {
      const hasTransportCc = carries(extensions, 'transport-cc');
      const spec = incomingSpec(publication, { section, formats, rids, hasTransportCc });
      incoming.push(spec);
      if (publications.published.includes(publication)) published.push(publishedTrack(spec, rids));
    }
    return answerRtpSection(section, use, transportOf(section.mid));
  };
  const sections = offer.sections.map(({ section, accepted, formats }) => {
    if (!accepted || section.type === 'other') return rejectSection(section);
    if (section.type === 'data') return answerDataSection(section, transportOf(section.mid));
    return answerRtp(section, formats);
  });
  return { sections, published, incoming, headerExtensions: ids.toSpec() };
}

function publishedTrack({ track, kind, mid, codecs }: IncomingTrackSpec, rids: readonly string[]): PublishedTrack {
  const mimeType = mimeTypeOf(codecs[0]?.codec ?? 'other') ?? '';
  return { track, kind, mid, mimeType, rids };
}
