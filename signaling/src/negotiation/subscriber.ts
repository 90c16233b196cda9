import type { IceCredentials, TrackId } from '@sluice/contracts';
import { type CodecName, type Origin, type RtpSection, receives, writeDescription } from '@sluice/sdp';
import { remoteMessageLimit } from './answer-section.ts';
import { answeredRtp, type ClientAnswer, readClientAnswer } from './client-answer.ts';
import { carriedCodecOf, carriedFormats, codecSpec, sameFormat } from './formats.ts';
import { ExtensionIds } from './header-extensions.ts';
import { localTransport, makeCredentials, makeOrigin, nextVersion, withNewCredentials } from './local-transport.ts';
import { DATA_MID, type OwnSlot, offerDataSection, offerRtpSection, ownChannels } from './offer-section.ts';
import { ownFormatsOf } from './own-formats.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { DtlsRole, RemoteTransport } from './remote-transport.ts';
import {
  assessWaiting,
  dropUnwanted,
  isUnsettled,
  midToTrackId,
  outgoingSpecs,
  type PlacingRules,
  place,
  placeTrack,
  type SsrcRange,
  startSsrcs,
  uniqueTracks,
} from './slots.ts';
import type {
  Agreed,
  NegotiatedData,
  NegotiatedSpec,
  NegotiationOptions,
  Offer,
  Placement,
  SiteTransport,
  WantedTrack,
} from './terms.ts';

interface State {
  readonly origin: Origin;
  readonly localCredentials: readonly IceCredentials[];
  readonly remote: RemoteTransport | undefined;
  readonly role: DtlsRole;
  readonly wanted: readonly WantedTrack[];
  readonly slots: readonly OwnSlot[];
  readonly ssrcs: SsrcRange;
  readonly headerExtensions: NegotiatedSpec['headerExtensions'];
  readonly data: NegotiatedData | undefined;
  readonly exchange: 'none' | 'offered' | 'agreed';
  /** Codecs that the client has rejected and never taken. */
  readonly lacking: readonly CodecName[];
  /** Tracks that the client has rejected, as long as they are wanted. */
  readonly refused: readonly TrackId[];
}

/** The peer connection in which we offer and the client answers: a subscriber's, in dual mode. */
export class SubscriberNegotiation {
  readonly #options: NegotiationOptions;
  #state: State;

  constructor(options: NegotiationOptions) {
    this.#options = options;
    this.#state = {
      origin: makeOrigin(options.random),
      localCredentials: [makeCredentials(options.random)],
      remote: undefined,
      // Clients answer `actpass` with `active`.
      role: 'server',
      wanted: [],
      slots: [],
      ssrcs: startSsrcs(options.random),
      headerExtensions: [],
      data: undefined,
      exchange: 'none',
      lacking: [],
      refused: [],
    };
  }

  /** What of the session's spec stands now. Before the first answer it has our credentials and nothing else. */
  get spec(): NegotiatedSpec {
    const { localCredentials, remote, role, headerExtensions, slots, data } = this.#state;
    return {
      localCredentials: [...localCredentials],
      ...(remote ? { remoteCredentials: remote.credentials } : {}),
      dtlsRole: role,
      remoteFingerprints: remote ? [...remote.fingerprints] : [],
      headerExtensions,
      incoming: [],
      outgoing: outgoingSpecs(slots),
      ...(data ? { data } : {}),
    };
  }

  /** An offer of ours has no answer yet: do not offer again before it came (or the client resumed). */
  get awaitsAnswer(): boolean {
    return this.#state.exchange === 'offered';
  }

  /** Says which tracks the client should have from now on; see `PublisherNegotiation`. When `renegotiate`, offer. */
  want(wanted: readonly WantedTrack[]): Placement {
    const { slots, refused } = this.#state;
    const tracks = uniqueTracks(wanted);
    const ids = new Set(tracks.map(({ track }) => track));
    this.#state = {
      ...this.#state,
      wanted: tracks,
      slots: dropUnwanted(slots, tracks),
      refused: refused.filter((track) => ids.has(track)),
    };
    return this.#placement();
  }

  /** Writes the offer that brings the sections to what is wanted. A new one replaces one that was never answered. */
  offer(site: SiteTransport, ice: 'keep' | 'restart'): Offer {
    const { random } = this.#options;
    const before = this.#state;
    const placed = this.#place();
    const origin = nextVersion(before.origin);
    const localCredentials =
      ice === 'restart' ? withNewCredentials(before.localCredentials, random) : before.localCredentials;
    this.#state = {
      ...before,
      origin,
      localCredentials,
      slots: placed.slots.map(markOffered),
      ssrcs: placed.ssrcs,
      exchange: 'offered',
    };
    const { slots } = this.#state;
    const transport = localTransport(site, localCredentials[0], 'actpass', 'without-candidates');
    const sdp = writeDescription({
      origin,
      bundleGroups: [[DATA_MID, ...slots.filter(({ rejected }) => !rejected).map(({ mid }) => mid)]],
      iceLite: true,
      msidSemantic: 'WMS *',
      sections: [
        offerDataSection(localTransport(site, localCredentials[0], 'actpass', 'with-candidates')),
        ...slots.map((slot) => offerRtpSection(slot, transport)),
      ],
    });
    return { sdp, midToTrackId: midToTrackId(slots), ...this.#placement() };
  }

  /** Takes the client's answer to the newest offer. */
  takeAnswer(answerSdp: string): Agreed | Refusal {
    const before = this.#state;
    if (before.exchange !== 'offered') return refuse('no-offer', 'no offer waits for an answer');
    const places = [{ mid: DATA_MID, kind: 'data' }, ...before.slots];
    const answer = readClientAnswer(answerSdp, places);
    if ('ok' in answer) return answer;
    const ids = new ExtensionIds();
    const taken = before.slots.map((slot) => {
      const section = answeredRtp(answer, slot.mid);
      if (section) ids.confirm(section);
      return takeSection(slot, section);
    });
    const slots = taken.map(({ slot }) => slot);
    const rejected = taken.flatMap((each) => (each.rejected ? [each.rejected] : []));
    const works = new Set(slots.flatMap(({ track, codec }) => (track?.state === 'agreed' ? [codec] : [])));
    const lacking = new Set([...before.lacking, ...rejected.map(({ codec }) => codec)]);
    this.#state = {
      ...before,
      exchange: 'agreed',
      remote: answer.remote,
      role: answer.role,
      slots,
      headerExtensions: ids.toSpec(),
      data: dataOf(answer),
      lacking: [...lacking].filter((codec) => !works.has(codec)),
      refused: [...before.refused, ...rejected.map(({ track }) => track)],
    };
    return { ok: true, ...this.#placement() };
  }

  /** Wanted tracks into open sections, then into new ones as far as there may be. */
  #place(): { slots: readonly OwnSlot[]; ssrcs: SsrcRange } {
    const { wanted, ssrcs } = this.#state;
    const rules = this.#rules();
    const supported = wanted.filter((each) => !rules.isUnsupported(each));
    const placed = place(this.#state.slots, supported, ssrcs, rules);
    const slots = [...placed.slots];
    let range = placed.ssrcs;
    for (const each of placed.left) {
      const codec = carriedCodecOf(each.mimeType);
      if (!codec || slots.length + 1 >= this.#options.maxSections) break;
      const made = placeTrack(each, range);
      range = made.ssrcs;
      const mid = String(slots.length + 1);
      slots.push({
        mid,
        kind: each.kind,
        track: made.track,
        shown: undefined,
        codec,
        offered: undefined,
        rejected: false,
      });
    }
    return { slots, ssrcs: range };
  }

  #rules(): PlacingRules<OwnSlot> & { isUnsupported: (wanted: WantedTrack) => boolean } {
    const { lacking, refused } = this.#state;
    return {
      // Every section was made for a track, so that one without is one that a track has left.
      supports: (slot) => !slot.rejected && this.#options.reuseSections === 'when-free',
      isUnsupported: ({ mimeType, track }) => {
        const codec = carriedCodecOf(mimeType);
        return !codec || lacking.includes(codec) || refused.includes(track);
      },
    };
  }

  #placement(): Placement {
    const { slots, wanted, exchange } = this.#state;
    const { unsupported, placeable, sectionless } = assessWaiting(slots, wanted, this.#rules());
    const hasRoom = slots.length + 1 < this.#options.maxSections;
    const needsOffer = (slot: OwnSlot): boolean =>
      exchange === 'offered' ? slot.offered !== slot.track?.wanted.track : isUnsettled(slot);
    const renegotiate =
      exchange === 'none' ||
      placeable > 0 ||
      (hasRoom && sectionless.audio + sectionless.video > 0) ||
      slots.some(needsOffer);
    return { spec: this.spec, renegotiate, missing: { audio: 0, video: 0 }, unsupported };
  }
}

function markOffered(slot: OwnSlot): OwnSlot {
  if (!slot.track) return { ...slot, offered: undefined };
  const { track, mimeType } = slot.track.wanted;
  const codec = carriedCodecOf(mimeType) ?? slot.codec;
  return { ...slot, codec, offered: track, shown: track };
}

interface TakenSection {
  readonly slot: OwnSlot;
  /** The track that the client cannot take, and why. */
  readonly rejected: { readonly track: TrackId; readonly codec: CodecName } | undefined;
}

/** What the answer makes of a section. `section`: undefined when the client rejected it. */
function takeSection(slot: OwnSlot, section: RtpSection | undefined): TakenSection {
  const { track, codec, offered, kind } = slot;
  if (!section) {
    const rejected = track ? { track: track.wanted.track, codec } : undefined;
    return { slot: { ...slot, track: undefined, shown: undefined, rejected: true }, rejected };
  }
  const shown = offered;
  // Not wanted any more since we offered it: the next offer takes it back.
  if (!track) return { slot: { ...slot, shown }, rejected: undefined };
  if (!receives(section.direction)) {
    return { slot: { ...slot, shown, track: { ...track, state: 'declined', codecs: [] } }, rejected: undefined };
  }
  // The numbers in an answer are those by which the client wants to receive (RFC 3264 §6.1), whatever ours were.
  const own = ownFormatsOf(codec);
  const codecs = carriedFormats(section.codecs, kind)
    .filter((format) => own.some((each) => sameFormat(each, format)))
    .map(codecSpec);
  if (codecs.length === 0) {
    return { slot: { ...slot, shown, track: undefined }, rejected: { track: track.wanted.track, codec } };
  }
  return { slot: { ...slot, shown, track: { ...track, state: 'agreed', codecs } }, rejected: undefined };
}

function dataOf(answer: ClientAnswer): NegotiatedData | undefined {
  const section = answer.accepted.get(DATA_MID);
  if (section?.type !== 'data') return undefined;
  const { sctpPort } = section;
  return { sctpPort, remoteMaxMessageBytes: remoteMessageLimit(section), channels: [...ownChannels] };
}
